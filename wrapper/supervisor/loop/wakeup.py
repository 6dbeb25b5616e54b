"""Wakes the supervisor's loop for signals, and for calls from other threads."""

from __future__ import annotations

import signal
import socket
from collections import deque
from collections.abc import Callable


class Wakeup:
    """A file descriptor that becomes readable when a signal or a call has arrived.

    Python writes a byte to it for each signal (`signal.set_wakeup_fd`), and `post` writes one for
    each call. The bytes only wake the loop. Signals and calls are kept separately, because a flood
    of calls could leave no room for a signal's byte.
    """

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._calls: deque[Callable[[], object]] = deque()
        self._signals: deque[int] = deque()
        self._listens = False

    def fileno(self) -> int:
        """Return the file descriptor to wait for."""
        return self._ours.fileno()

    def listen_to_signals(self, numbers: tuple[int, ...]) -> None:
        """Let these signals wake the loop; call this from the main thread."""
        for number in numbers:
            signal.signal(number, lambda number, frame: self._signals.append(number))
        signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        self._listens = True

    def post(self, call: Callable[[], object]) -> None:
        """Let the loop call `call` in its own thread; safe from any thread."""
        self._calls.append(call)
        try:
            self._theirs.send(b"\0")
        except OSError:
            pass  # the buffer is full, so the loop wakes anyway; or the loop has ended

    def read(self) -> list[int]:
        """Run the posted calls; return the numbers of the signals that have arrived."""
        try:
            self._ours.recv(4096)
        except BlockingIOError:
            pass
        while self._calls:
            self._calls.popleft()()
        numbers = []
        while self._signals:
            numbers.append(self._signals.popleft())
        return numbers

    def close(self) -> None:
        """Stop waking the loop; call this from the thread that called `listen_to_signals`."""
        if self._listens:
            signal.set_wakeup_fd(-1)
            self._listens = False
        self._ours.close()
        self._theirs.close()
