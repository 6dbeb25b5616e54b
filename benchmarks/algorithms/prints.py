"""Prints a lot; the result is how long that takes."""

import time


def start(args):
    began = time.perf_counter()
    for number in range(20_000):
        print("line number", number)
    return time.perf_counter() - began
