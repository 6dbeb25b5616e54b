"""The page of `hkube-wrapper dev` in a real browser."""
