"""Finds an algorithm's code and description from a PATH on the command line."""
