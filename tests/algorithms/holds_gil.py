"""Holds the GIL in a C call for the time that its input gives."""

import ctypes


def start(args, api):
    return ctypes.PyDLL(None).sleep(args["input"][0])
