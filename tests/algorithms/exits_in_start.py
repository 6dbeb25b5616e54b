"""Leaves in start, with the status it is told."""

import sys


def start(args, api):
    if args["input"][0] == "work":
        return "worked"
    sys.exit(args["input"][0])
