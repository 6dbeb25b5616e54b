"""The wrapper against the floor, side by side: ``python -m benchmarks [row ...]``."""
