"""Runs streaming pipelines on this machine."""
