"""Ends its process behind everyone's back, a line without an end still in the buffer."""

import os


def start(args, api):
    print("before the hard exit")
    print("the last words", end="")
    os._exit(args["input"][0])
