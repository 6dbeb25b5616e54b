"""Reads address 0."""

import ctypes


def reads_address_zero():
    ctypes.string_at(0)


def start(args, api):
    print("the last words", end="")
    reads_address_zero()
