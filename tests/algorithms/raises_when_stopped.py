"""Fails when it is stopped, in the way that its input names."""

import ctypes
import os
import sys
import time

from wrapper.errors import AlgorithmStopped


def start(args, api):
    how = args["input"][0]
    if how == "work":
        return "worked"
    try:
        print("waiting", flush=True)
        time.sleep(600)
    except AlgorithmStopped:
        if how == "raise":
            raise ValueError("badly stopped") from None
        if how == "sys.exit":
            sys.exit(3)
        if how == "os._exit":
            os._exit(3)
        if how == "segfault":
            ctypes.string_at(0)
