"""Catches everything and continues; its `stop` does nothing."""

import time


def stop(args):
    print("stop was called", flush=True)


def start(args, api):
    if args["input"][0] != "stick":
        return "free"
    print("waiting", flush=True)
    while True:
        try:
            while True:
                time.sleep(0.05)
        except BaseException:
            pass
