"""Imports its own module, which imports another, which imports a missing package."""

from features.outer import value


def start(args, api):
    return value
