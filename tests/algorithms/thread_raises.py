"""Raises in a thread of its own, which start ignores."""

import threading


def fails():
    raise ValueError("in a thread")


def start(args, api):
    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    return "fine"
