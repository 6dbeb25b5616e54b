"""`hkube-wrapper check`: what would go wrong in the container, found here."""
