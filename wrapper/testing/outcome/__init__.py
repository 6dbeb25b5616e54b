"""The outcome of a run, as a test sees it."""
