"""Its `stop` raises."""

import time


def stop(args):
    raise ValueError("no stopping")


def start(args, api):
    if args["input"][0] == "wait":
        print("waiting", flush=True)
        time.sleep(600)
    return "free"
