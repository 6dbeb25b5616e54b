"""Parses and checks the descriptor of a pipeline."""
