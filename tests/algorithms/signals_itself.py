"""Ends its process with the signal that its input names."""

import os
import time


def start(args, api):
    os.kill(os.getpid(), args["input"][0])
    time.sleep(60)
