"""`hkube-wrapper build`: the image of an algorithm, with no Dockerfile written by its author."""
