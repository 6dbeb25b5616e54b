"""Raises while it is imported."""


def prepare():
    return 1 / 0


TABLE = prepare()


def start(args, api):
    return TABLE
