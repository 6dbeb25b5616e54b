"""Ends itself by the signal it is told."""

import os
import time


def start(args, api):
    os.kill(os.getpid(), args["input"][0])
    time.sleep(60)
