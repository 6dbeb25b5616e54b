"""Replaces or closes sys.stdout."""

import io
import sys


def start(args, api):
    if args["input"][0] == "redirect":
        sys.stdout = io.StringIO()
        print("kept for myself")
        return sys.stdout.getvalue()
    if args["input"][0] == "close":
        print("before closing")
        sys.stdout.close()
        sys.stderr.close()
    if args["input"][0] == "none":
        sys.stdout = sys.stderr = None
    return "served"
