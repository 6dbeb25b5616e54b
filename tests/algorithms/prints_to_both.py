"""Prints to both outputs, in text that is not ASCII, with no end of line at the end."""

import sys


def start(args, api):
    print("to stdout: ☃ é")
    print("to stderr: ☃ é", file=sys.stderr)
    print("no end of line", end="")
