"""Forks in start, and the child uses HKubeApi."""

import os


def start(args, api):
    child = os.fork()
    if child == 0:
        try:
            api.progress(1)
            api.start_algorithm("from-the-child", timeout=1)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return "from the parent"
