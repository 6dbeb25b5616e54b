"""Waiting for what cannot be broken off: a library in another language, a hung file system."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread, current_thread, main_thread
from typing import TypeVar

T = TypeVar("T")


def interruptible(act: Callable[[], T]) -> T:
    """Call `act` such that a signal's handler that raises ends the waiting for it.

    Signals are handled on the main thread only: there it is called by another one, which is left
    to itself when the waiting ends early.

    Raises:
        BaseException: what `act`, or the handler, raised.
    """
    if current_thread() is not main_thread():
        return act()
    results: list[T] = []
    errors: list[BaseException] = []
    done = Lock()
    done.acquire()

    def run() -> None:
        try:
            results.append(act())
        except BaseException as error:  # told to whoever waits
            errors.append(error)
        finally:
            done.release()

    try:
        Thread(target=run, name="hkube-storage", daemon=True).start()
    except RuntimeError:  # no thread to be had: it must do without
        return act()
    done.acquire()
    if errors:
        try:
            raise errors.pop()
        finally:
            del run  # the error's traceback holds this frame: no cycle, memory stays flat
    return results.pop()
