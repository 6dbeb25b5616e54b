"""Prints alternately from Python and from C."""

import ctypes
import os
import sys

libc = ctypes.CDLL(None)


def start(args, api):
    for number in range(args["input"][0]):
        print(f"python {number}")
        libc.puts(b"c %d" % number)
        libc.printf(b"printf %d\n", number)
        sys.stdout.write(f"write {number}\n")
        if number % 10 == 0:
            os.write(1, b"fd %d\n" % number)
