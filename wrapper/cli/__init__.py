"""The command `hkube-wrapper`: trying, testing and packaging algorithms with no cluster.

Typer and rich are imported here and below only: serving HKube's worker does without them.
"""
