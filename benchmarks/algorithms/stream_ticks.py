"""Sends the time, now and then."""

import time


def start(args, hkube_api):
    count, pause, first = args["input"]
    time.sleep(first)
    for _ in range(count):
        time.sleep(pause)
        hkube_api.sendMessage(time.monotonic())
    while not hkube_api.stop_requested:
        time.sleep(1)
