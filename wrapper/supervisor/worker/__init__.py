"""The connection to HKube's worker."""
