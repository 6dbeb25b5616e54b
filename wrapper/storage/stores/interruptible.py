"""Waits for calls that cannot be interrupted, such as native code or a hung file system."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread, current_thread, main_thread
from typing import TypeVar

T = TypeVar("T")


def interruptible(act: Callable[[], T]) -> T:
    """Call `act`; an exception from a signal handler ends the wait.

    Python handles signals in the main thread. There, `act` runs in a helper thread, which is
    abandoned if the wait ends early.

    Raises:
        BaseException: The exception that `act` or the signal handler raised.
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
        except BaseException as error:  # raised in the waiting thread
            errors.append(error)
        finally:
            done.release()

    try:
        Thread(target=run, name="hkube-storage", daemon=True).start()
    except RuntimeError:  # cannot start a thread; call it directly
        return act()
    done.acquire()
    if errors:
        try:
            raise errors.pop()
        finally:
            del run  # avoids a reference cycle through the traceback
    return results.pop()
