"""Runs pipelines with processes of this machine."""
