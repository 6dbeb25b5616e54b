"""Its `stop` never returns."""

import time


def stop(args):
    time.sleep(600)


def start(args, api):
    if args["input"][0] == "wait":
        print("waiting", flush=True)
        time.sleep(600)
    return "free"
