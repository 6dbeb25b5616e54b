"""A thread of the user's raises; start does not mind."""

import threading


def fails():
    raise ValueError("in a thread")


def start(args, api):
    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    return "fine"
