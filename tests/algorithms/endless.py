"""Loops in Python, or waits in the way that its input names, until it is interrupted."""

import subprocess
import threading
import time

from wrapper.errors import AlgorithmStopped


def wait(how):
    if how == "loop":
        while True:
            pass
    if how == "sleep":
        time.sleep(600)
    if how == "lock":
        threading.Event().wait()
    if how == "subprocess":
        subprocess.run(["sleep", "600"], check=True)
    if how == "swallow-exceptions":
        while True:
            try:
                time.sleep(0.01)
                raise ValueError
            except Exception:
                pass


def start(args, api):
    how = args["input"][0]
    try:
        print("waiting", flush=True)
        wait(how)
    except AlgorithmStopped:
        print("cleaned up", flush=True)
        raise
    return "not stopped"
