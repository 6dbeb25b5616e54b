"""Installs its own handler for every signal that it can, and ignores the signals."""

import contextlib
import signal
import time


def start(args, api):
    for number in signal.valid_signals():
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            signal.signal(number, lambda *_: print("mine", flush=True))
    if args["input"][0] == "wait":
        print("waiting", flush=True)
        while True:
            time.sleep(0.05)
    return "installed"
