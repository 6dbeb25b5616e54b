"""Waking the supervisor's loop: for signals, and for what helper threads have to say."""

from __future__ import annotations

import signal
import socket
from collections import deque
from collections.abc import Callable


class Wakeup:
    """A file descriptor that becomes readable when a signal or a call has come.

    Python writes a byte to it for each signal (`signal.set_wakeup_fd`), `post` another. The bytes
    only wake: what has come stands apart, because a flood of calls leaves no room for a signal.
    """

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._calls: deque[Callable[[], None]] = deque()
        self._signals: deque[int] = deque()
        self._listens = False

    def fileno(self) -> int:
        """The file descriptor to wait on."""
        return self._ours.fileno()

    def listen_to_signals(self, numbers: tuple[int, ...]) -> None:
        """Let these signals wake the loop; call it from the main thread."""
        for number in numbers:
            signal.signal(number, lambda number, frame: self._signals.append(number))
        signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        self._listens = True

    def post(self, call: Callable[[], None]) -> None:
        """Have `call` made by the loop, in its thread; may be used from any thread."""
        self._calls.append(call)
        try:
            self._theirs.send(b"\0")
        except OSError:
            pass  # the buffer is full: the loop is being woken already; or it has ended

    def read(self) -> list[int]:
        """Make the posted calls; returns the numbers of the signals that have come."""
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
        """Wake nobody any more; from the thread that called `listen_to_signals`."""
        if self._listens:
            signal.set_wakeup_fd(-1)
            self._listens = False
        self._ours.close()
        self._theirs.close()
