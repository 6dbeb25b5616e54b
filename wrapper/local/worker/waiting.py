"""Waiting on the main thread, where a signal may come at any time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any

HEAR_EVERY = 0.2
"""Seconds within which a signal is heard: its handler is called between two waits."""


def wait_done(future: Future[Any], timeout: float | None = None) -> bool:
    """Wait until a future is done; False if it is not after `timeout` seconds."""
    return wait_until(lambda seconds: bool(wait([future], seconds).done), timeout)


def wait_until(wait_once: Callable[[float], bool], timeout: float | None = None) -> bool:
    """Wait for something; False if it has not come after `timeout` seconds.

    Args:
        wait_once: waits for so many seconds at most; true once it has come.
        timeout: seconds; None: for ever.

    Raises:
        KeyboardInterrupt: Ctrl-C; what handlers of other signals raise is raised too.
    """
    end = None if timeout is None else monotonic() + timeout
    while True:
        left = HEAR_EVERY if end is None else min(HEAR_EVERY, end - monotonic())
        with _signals_held():
            has_come = wait_once(max(0.0, left))
        if has_come:
            return True
        if left <= 0:
            return False


@contextmanager
def _signals_held() -> Iterator[None]:
    """Note signals meanwhile, and call their handlers afterwards.

    What a handler raises comes out of whatever the main thread is doing. Amid a wait that may be
    the moment in which it has a lock that others need: it would never be released.
    """
    held: list[tuple[int, FrameType | None]] = []
    handlers = _handlers()
    try:
        for number in handlers:
            signal.signal(number, lambda *come: held.append(come))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in held:
            handlers[number](number, frame)


def _handlers() -> dict[int, Callable[[int, FrameType | None], Any]]:
    """The handlers of the signals by which a command is ended; none but in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    found = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    return {number: handler for number, handler in found.items() if callable(handler)}
