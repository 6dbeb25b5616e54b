"""Compares the wrapper with the floor: ``python -m benchmarks [row ...]``."""
