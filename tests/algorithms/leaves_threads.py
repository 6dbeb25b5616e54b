"""Leaves threads running, daemons or not."""

import threading
import time


def forever():
    while True:
        time.sleep(0.05)


def start(args, api):
    threading.Thread(target=forever, daemon=args["input"][0] == "daemon").start()
    return threading.active_count() >= 2
