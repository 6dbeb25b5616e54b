"""A thread of the wrapper's that user code cannot change."""

from __future__ import annotations

import sys
import threading
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable


class NativeThread:
    """A thread of the operating system that `threading` does not list.

    A `Thread` would not do: `gevent.monkey.patch_all()` at the top of the user's module works only
    if the main thread is the only one known, and makes each `Thread` that starts later a greenlet,
    which does not run while other code does. The process does not wait for this thread at its end.

    Args:
        target: what runs in the thread.
    """

    def __init__(self, target: Callable[[], None]) -> None:
        self._target = target
        self._running = allocate_lock()

    def start(self) -> None:
        """Start the thread; once.

        Raises:
            RuntimeError: the machine has no room for a thread.
        """
        self._running.acquire()
        try:
            start_new_thread(self._run, ())
        except BaseException:
            self._running.release()
            raise

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended, or has not been started; at most `timeout` seconds."""
        if self._running.acquire(timeout=-1 if timeout is None else timeout):
            self._running.release()

    def _run(self) -> None:
        try:
            trace = threading.gettrace()  # of a debugger or a coverage tool
            if trace is not None:
                sys.settrace(trace)
            self._target()
        finally:
            self._running.release()
