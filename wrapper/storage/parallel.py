"""Runs several blocking operations at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")


def in_parallel(act: Callable[[T], None], items: Sequence[T], workers: int) -> None:
    """Call `act` once for each item, several at a time.

    The calling thread takes part, so the work is done even if no other thread can be started.

    Args:
        act: Called with an item; must be safe to call from any thread.
        items: The items, started in this order.
        workers: Maximum number of calls at the same time.

    Raises:
        BaseException: The first exception that `act` or a signal handler raised. Items that were
            not started by then are skipped.
    """
    places = count()  # its next() is atomic
    failures: list[BaseException] = []
    ended: list[None] = []
    changed = Event()

    def work() -> None:
        while not failures and (place := next(places)) < len(items):
            try:
                act(items[place])
            except BaseException as error:  # raised in the caller
                failures.append(error)

    def help_out() -> None:
        work()
        ended.append(None)
        changed.set()

    helpers = 0
    for _ in range(min(workers, len(items)) - 1):
        try:
            Thread(target=help_out, name="hkube-storage", daemon=True).start()
        except RuntimeError:  # cannot start a thread; continue without it
            break
        helpers += 1
    work()
    # Not `join`: after a failure, do not wait for the calls that are still running.
    while not failures and len(ended) < helpers:
        try:
            changed.wait()
        except BaseException as error:  # AlgorithmStopped: the helpers start no more items
            failures.append(error)
        changed.clear()
    if failures:
        raise failures[0]
