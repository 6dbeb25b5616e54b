"""The page of `hkube-wrapper dev`: its server, what it keeps of runs, and what it serves."""
