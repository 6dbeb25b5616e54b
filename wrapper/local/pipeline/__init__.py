"""Runs pipelines of algorithms on this machine, without a cluster."""
