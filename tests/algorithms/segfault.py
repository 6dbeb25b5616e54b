"""Reads address 0."""

import ctypes


def reads_address_zero():
    ctypes.string_at(0)


def start(args, api):
    print("the final words", end="")
    reads_address_zero()
