"""Doing several things that wait at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")


def in_parallel(act: Callable[[T], None], items: Sequence[T], workers: int) -> None:
    """Call `act` with each item; several at a time, each item once.

    The calling thread does its part, so that all is done even where no other thread can be
    started for want of memory.

    Args:
        act: safe from any thread.
        items: what for; begun in this order.
        workers: how many at a time, at most.

    Raises:
        BaseException: the first that `act`, or a signal's handler, raised; what had not begun by
            then is left out.
    """
    places = count()  # its next() is one step that no other thread can come between
    failures: list[BaseException] = []
    ended: list[None] = []
    changed = Event()

    def work() -> None:
        while not failures and (place := next(places)) < len(items):
            try:
                act(items[place])
            except BaseException as error:  # told to the caller
                failures.append(error)

    def help_out() -> None:
        work()
        ended.append(None)
        changed.set()

    helpers = 0
    for _ in range(min(workers, len(items)) - 1):
        try:
            Thread(target=help_out, name="hkube-storage", daemon=True).start()
        except RuntimeError:  # no thread to be had
            break
        helpers += 1
    work()
    # Not `join`: after a failure nobody waits for those that are still at it.
    while not failures and len(ended) < helpers:
        try:
            changed.wait()
        except BaseException as error:  # AlgorithmStopped: the helpers begin nothing more
            failures.append(error)
        changed.clear()
    if failures:
        raise failures[0]
