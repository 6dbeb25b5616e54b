"""Runs the algorithm under test, in the test's process or in separate ones."""
