"""A C call that does not let go of the interpreter for as long as it is told."""

import ctypes


def start(args, api):
    return ctypes.PyDLL(None).sleep(args["input"][0])
