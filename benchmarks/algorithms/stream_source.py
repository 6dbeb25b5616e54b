"""Sends messages of a size until it is stopped."""

import time


def start(args, hkube_api):
    count, size = args["input"]
    value = b"x" * size
    for _ in range(count):
        hkube_api.sendMessage(value)
    while not hkube_api.stop_requested:
        time.sleep(0.05)
