"""Keeps values that were read in memory, within a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from threading import RLock

from .format.encoded import ENTRY_BYTES, Encoded


class Cache:
    """Encoded values by path; the least recently used one is removed first.

    Values stay encoded. Each task decodes its own copy, so it cannot change the next task's input.

    Args:
        budget: Bytes for the payloads and their overhead.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._held: OrderedDict[str, Encoded] = OrderedDict()
        self._bytes = 0
        # Reentrant: a user's signal handler may interrupt the thread that holds the lock.
        self._lock = RLock()

    def get(self, path: str) -> Encoded | None:
        """Return the value for a path, if the cache still has it."""
        with self._lock:
            found = self._held.get(path)
            if found is not None:
                self._held.move_to_end(path)
            return found

    def put(self, path: str, encoded: Encoded) -> None:
        """Keep a value, unless it alone exceeds the budget."""
        cost = encoded.size + ENTRY_BYTES
        with self._lock:
            self._remove(path)
            if cost > self._budget:
                return
            while self._bytes + cost > self._budget:
                self._remove(next(iter(self._held)))
            self._held[path] = encoded
            self._bytes += cost

    def clear(self) -> None:
        """Remove all values."""
        with self._lock:
            self._held.clear()
            self._bytes = 0

    def _remove(self, path: str) -> None:
        removed = self._held.pop(path, None)
        if removed is not None:
            self._bytes -= removed.size + ENTRY_BYTES
