"""Counts the memory that the requests of all peers take together."""

from __future__ import annotations


class RequestMemory:
    """A budget of bytes.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used = 0

    def change(self, count: int) -> bool:
        """Take or give back bytes; return False if more is taken than there is.

        They count in either case, until they are given back.
        """
        self.used += count
        return count <= 0 or self.used <= self._limit
