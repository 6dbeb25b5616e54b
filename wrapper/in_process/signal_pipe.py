"""Brings the signals of this process to a thread other than the main one."""

from __future__ import annotations

import signal
import socket
from typing import Any


class SignalPipe:
    """A pipe with the signals that end this process, for another thread to read.

    Python calls signal handlers in the main thread, between two steps of its code. But the main
    thread may wait in a system call, and a signal that arrives just before that call does not
    interrupt it. The byte that Python writes for a signal arrives immediately.

    A context manager for the main thread; at the end it restores the previous handlers.
    """

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._before: dict[int, Any] = {}

    def __enter__(self) -> SignalPipe:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, lambda number, frame: None)
        signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *exc_info: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            if handler is not None:  # None: the handler was not set by Python
                signal.signal(number, handler)
        self._ours.close()
        self._theirs.close()

    def fileno(self) -> int:
        """Return the file descriptor to wait for."""
        return self._ours.fileno()

    def numbers(self) -> list[int]:
        """Return the signals since the last call; call this from the thread that waits for them."""
        return [number for number in self._ours.recv(4096) if number in self._before]
