"""Holds the GIL in a C call that never ends."""

import collections
import itertools


def start(args, api):
    if args["input"][0] == "stick":
        print("waiting", flush=True)
        collections.deque(itertools.repeat(None), maxlen=0)
    return "free"
