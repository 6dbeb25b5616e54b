"""Its functions take no arguments."""

import threading

flag = threading.Event()
calls = []


def init():
    flag.clear()
    calls.append("init")


def stop():
    calls.append("stop")
    flag.set()


def exit():
    print("exit was called", flush=True)


def start(args):
    if args["input"][0] == "wait":
        print("waiting", flush=True)
        flag.wait()
    return calls
