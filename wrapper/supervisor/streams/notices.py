"""Log lines about what may happen thousands of times a second: one in ten seconds, with a count."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY = 10.0


class Notices:
    """Counts events by kind, and logs each kind at most once in `EVERY` seconds.

    Args:
        warn: takes a line for the log.
        clock: seconds, monotonic.
    """

    def __init__(
        self, warn: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._warn = warn
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        self._due: dict[str, float] = {}

    def count(self, kind: str, times: int, text: str) -> None:
        """Something happened; the newest text of its kind is logged."""
        self._counts[kind] = self._counts.get(kind, 0) + times
        self._texts[kind] = text
        now = self._clock()
        if now >= self._due.get(kind, 0.0):
            self._log(kind, now)

    def deadline(self) -> float | None:
        """When a line is due; None: never."""
        return min((self._due[kind] for kind in self._counts), default=None)

    def tick(self, now: float) -> None:
        """Log what has been counted since the last line."""
        for kind in [kind for kind in self._counts if now >= self._due[kind]]:
            self._log(kind, now)

    def close(self) -> None:
        """Log the rest."""
        for kind in list(self._counts):
            self._log(kind, self._clock())

    def _log(self, kind: str, now: float) -> None:
        times = self._counts.pop(kind)
        suffix = "" if times == 1 else f" ({times:,} times)"
        self._warn(f"streaming: {self._texts[kind]}{suffix}")
        self._due[kind] = now + EVERY
