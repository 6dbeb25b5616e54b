"""Catches the interruption, cleans up for a moment, and returns something."""

import time

from wrapper.errors import AlgorithmStopped


def start(args, api):
    if args["input"][0] != "wait":
        return "free"
    print("waiting", flush=True)
    try:
        time.sleep(600)
    except AlgorithmStopped:
        time.sleep(1)
        print("cleaned up", flush=True)
        return "never to be sent"
