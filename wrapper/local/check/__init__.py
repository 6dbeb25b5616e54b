"""`hkube-wrapper check`: finds what would go wrong in the container."""
