"""Limits its time with a signal, which works only on the main thread."""

import signal
import time


def ring(number, frame):
    raise TimeoutError("the user's own alarm")


def start(args, api):
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(600)
