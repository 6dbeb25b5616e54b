"""Forks in start, and the child raises."""

import os


def start(args, api):
    child = os.fork()
    if child == 0:
        raise ValueError("from the child")
    os.waitpid(child, 0)
    return "from the parent"
