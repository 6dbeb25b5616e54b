"""`hkube-wrapper build`: builds an algorithm's image without a Dockerfile from its author."""
