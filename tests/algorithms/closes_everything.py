"""Closes every descriptor, as a daemonising library does."""

import os


def start(args, api):
    os.closerange(3, 1000)
    return "closed"
