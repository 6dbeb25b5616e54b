"""Runs the user's functions, task after task."""
