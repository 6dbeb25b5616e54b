"""Prints non-ASCII text to both outputs, without a final line end."""

import sys


def start(args, api):
    print("to stdout: ☃ é")
    print("to stderr: ☃ é", file=sys.stderr)
    print("no end of line", end="")
