"""Sends messages of a size until it is stopped."""

import time


def start(args, hkube_api):
    count, size = args["input"]
    value = b"x" * size
    for _ in range(count):
        hkube_api.sendMessage(value)
    # HKube's wrapper has no stop_requested.
    while not getattr(hkube_api, "stop_requested", False):
        time.sleep(0.05)
