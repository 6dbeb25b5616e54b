"""Waiting on the main thread, where a signal may come at any time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from time import monotonic
from typing import Any

HEAR_EVERY = 0.2
"""Seconds within which a signal is heard.

A signal interrupts a wait; one that comes just before the wait begins interrupts nothing, and
Python would hear of it at the wait's end, which may never be.
"""


def wait_done(future: Future[Any], timeout: float | None = None) -> bool:
    """Wait until a future is done; False if it is not after `timeout` seconds."""
    return wait_until(lambda seconds: bool(wait([future], seconds).done), timeout)


def wait_until(wait_once: Callable[[float], bool], timeout: float | None = None) -> bool:
    """Wait for something; False if it has not come after `timeout` seconds.

    Args:
        wait_once: waits for so many seconds at most; true once it has come.
        timeout: seconds; None: for ever.
    """
    end = None if timeout is None else monotonic() + timeout
    while True:
        left = HEAR_EVERY if end is None else min(HEAR_EVERY, end - monotonic())
        if wait_once(max(0.0, left)):
            return True
        if left <= 0:
            return False
