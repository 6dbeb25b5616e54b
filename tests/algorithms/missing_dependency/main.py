"""Imports a module of its own, which imports another, which imports a package that is not there."""

from features.outer import value


def start(args, api):
    return value
