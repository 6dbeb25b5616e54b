"""The outcome of a run: how it is recorded, and what a test gets."""
