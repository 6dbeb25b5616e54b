"""Pipelines of algorithms on your own machine."""
