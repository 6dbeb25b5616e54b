"""Calls sys.exit in start, with the status that its input gives."""

import sys


def start(args, api):
    if args["input"][0] == "work":
        return "worked"
    sys.exit(args["input"][0])
