"""Runs pipelines with processes on this machine."""
