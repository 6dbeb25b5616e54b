"""Ends its process with os._exit, with an unfinished line in the buffer."""

import os


def start(args, api):
    print("before the hard exit")
    print("the final words", end="")
    os._exit(args["input"][0])
