"""Doing several things that wait at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from threading import Thread
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
        Exception: the first that `act` raised; what had not begun by then is left out.
    """
    places = count()  # its next() is one step that no other thread can come between
    failures: list[BaseException] = []

    def work() -> None:
        while not failures and (place := next(places)) < len(items):
            try:
                act(items[place])
            except BaseException as error:  # told to the caller
                failures.append(error)

    helpers: list[Thread] = []
    for _ in range(min(workers, len(items)) - 1):
        helper = Thread(target=work, name="hkube-storage", daemon=True)
        try:
            helper.start()
        except RuntimeError:  # no thread to be had
            break
        helpers.append(helper)
    try:
        work()
        for helper in helpers:
            helper.join()
    except BaseException as error:  # AlgorithmStopped: those that still run end by themselves
        failures.append(error)
        raise
    if failures:
        raise failures[0]
