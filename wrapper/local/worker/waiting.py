"""Waits on the main thread, where a signal may arrive at any time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any

SIGNAL_CHECK_INTERVAL = 0.2
"""Longest delay, in seconds, before a signal is handled: handlers run between two waits."""


def wait_done(future: Future[Any], timeout: float | None = None) -> bool:
    """Wait until a future is done; False if it is not after `timeout` seconds."""
    return wait_until(lambda seconds: bool(wait([future], seconds).done), timeout)


def wait_until(wait_once: Callable[[float], bool], timeout: float | None = None) -> bool:
    """Wait for something; return False if it has not happened after `timeout` seconds.

    Args:
        wait_once: waits at most the given number of seconds; returns True once it has happened.
        timeout: seconds; None waits for ever.

    Raises:
        KeyboardInterrupt: Ctrl-C; what handlers of other signals raise is raised too.
    """
    end = None if timeout is None else monotonic() + timeout
    while True:
        left = (
            SIGNAL_CHECK_INTERVAL if end is None else min(SIGNAL_CHECK_INTERVAL, end - monotonic())
        )
        with _signals_held():
            happened = wait_once(max(0.0, left))
        if happened:
            return True
        if left <= 0:
            return False


@contextmanager
def _signals_held() -> Iterator[None]:
    """Record signals that arrive inside, and call their handlers afterwards.

    A handler's exception surfaces wherever the main thread happens to be. During a wait, the thread
    may hold a lock that others need, and would then never release it.
    """
    held: list[tuple[int, FrameType | None]] = []
    handlers = _handlers()
    try:
        for number in handlers:
            signal.signal(number, lambda *received: held.append(received))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in held:
            handlers[number](number, frame)


def _handlers() -> dict[int, Callable[[int, FrameType | None], Any]]:
    """Return the handlers of the signals that end a command; empty outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    found = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    return {number: handler for number, handler in found.items() if callable(handler)}
