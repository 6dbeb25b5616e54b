"""Its `stop` sets a flag, which makes start return."""

import threading

flag = threading.Event()
stops = []


def initialize(args):
    flag.clear()


def stop(args):
    stops.append(args)
    flag.set()


def start(args, api):
    if args["input"][0] == "stops":
        return stops
    print("waiting", flush=True)
    flag.wait()
    return "returned after stop"
