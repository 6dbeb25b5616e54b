"""Interrupts user code that runs in a thread beside the test."""

from __future__ import annotations

import ctypes
from threading import get_ident

from ...algorithm.host.interruption import Interruption
from ...errors import AlgorithmStopped


class _StreamStopped(AlgorithmStopped):
    """Raised by the interpreter, which passes no text."""

    def __init__(self) -> None:
        super().__init__("HKube stopped the task")


class ThreadInterruption(Interruption):
    """An interruption of the thread that calls `install`.

    A signal would interrupt the test, which has the main thread. The interpreter can raise an
    exception in another thread as well, but not while that waits in C code.
    """

    def install(self) -> None:
        """Choose the calling thread."""
        self.thread_id = get_ident()

    def request(self) -> None:
        """Interrupt the user code that runs now; safe from any thread."""
        if self.held.depth:
            self.pending = True
        elif self.in_user_code and not self.delivered:
            self.delivered = True
            if self._cancel is not None:
                self._cancel()
            else:
                ident, stopped = (
                    ctypes.c_ulong(self.thread_id or 0),
                    ctypes.py_object(_StreamStopped),
                )
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, stopped)
