"""`hkube-wrapper init`: a new algorithm from a template."""
