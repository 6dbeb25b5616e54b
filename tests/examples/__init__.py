"""Runs every example as its README shows it."""
