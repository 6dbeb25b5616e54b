"""`hkube-wrapper init`: creates an algorithm from a template."""
