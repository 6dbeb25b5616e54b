"""Calls C's abort."""

import os


def start(args, api):
    os.abort()
