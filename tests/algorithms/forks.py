"""Forks in start, and the child returns from start as if it were the parent."""

import os


def start(args, api):
    child = os.fork()
    if child == 0:
        return "from the child"
    os.waitpid(child, 0)
    return "from the parent"
