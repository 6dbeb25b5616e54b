"""HKube's worker for one algorithm, on this machine."""
