"""Polls `stop_requested`; its `stop` delays the interruption."""

import time


def stop(args):
    pass


def start(args, api):
    if args["input"][0] == "flag":
        return api.stop_requested
    print("waiting", flush=True)
    while not api.stop_requested:
        time.sleep(0.01)
    print("saw the flag", flush=True)
