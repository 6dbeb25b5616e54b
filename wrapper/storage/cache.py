"""What was read already, in memory, within a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from threading import RLock

from .format.encoded import ENTRY_BYTES, Encoded


class Cache:
    """Encoded values by path; the one that was not used for the longest goes first.

    They stay encoded: each task decodes a value of its own, so that what one task changes in its
    input is not seen by the next.

    Args:
        budget: bytes, of the payloads and of what each takes besides.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._held: OrderedDict[str, Encoded] = OrderedDict()
        self._bytes = 0
        # One that a signal handler of the user's can pass when the thread it interrupts holds it.
        self._lock = RLock()

    def get(self, path: str) -> Encoded | None:
        """What was put in for this path, if it is still there."""
        with self._lock:
            found = self._held.get(path)
            if found is not None:
                self._held.move_to_end(path)
            return found

    def put(self, path: str, encoded: Encoded) -> None:
        """Keep a value, unless it alone is over the budget."""
        cost = encoded.size + ENTRY_BYTES
        with self._lock:
            self._take_out(path)
            if cost > self._budget:
                return
            while self._bytes + cost > self._budget:
                self._take_out(next(iter(self._held)))
            self._held[path] = encoded
            self._bytes += cost

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._bytes = 0

    def _take_out(self, path: str) -> None:
        gone = self._held.pop(path, None)
        if gone is not None:
            self._bytes -= gone.size + ENTRY_BYTES
