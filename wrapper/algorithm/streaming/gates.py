"""What threads of the algorithm process wait for."""

from __future__ import annotations

from threading import Lock
from typing import Any

from ...errors import StreamingError


class Gate:
    """Lets senders wait while the queue is full."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_open = True

    def wait(self) -> None:
        """Return when it is open."""
        if not self._is_open:
            with self._lock:
                pass

    def shut(self) -> None:
        """Let senders wait."""
        if self._is_open:
            self._is_open = False
            self._lock.acquire()

    def open(self) -> None:
        """Let senders go on."""
        if not self._is_open:
            self._is_open = True
            self._lock.release()


class Reply:
    """A value that another thread provides."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lock.acquire()
        self._value: dict[str, Any] = {}

    def set(self, value: dict[str, Any]) -> None:
        """Provide the value, once."""
        self._value = value
        try:
            self._lock.release()
        except RuntimeError:
            pass  # provided already

    def wait(self, seconds: float) -> dict[str, Any]:
        """Wait for the value."""
        if not self._lock.acquire(timeout=seconds):
            raise StreamingError(f"the statistics did not come within {seconds:.0f} s")
        return self._value
