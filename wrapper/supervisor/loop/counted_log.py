"""Log lines about what may happen very often: one in ten seconds, with the count."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...log import Log

EVERY = 10.0  # seconds


class CountedLog:
    """Logs the first message of a level at once, and those of the next ten seconds as one line.

    Args:
        log: the wrapper's log.
        clock: monotonic, seconds.
    """

    def __init__(self, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._counts: dict[str, _Count] = {}

    def add(self, level: str, text: str) -> None:
        """Log a message now or later.

        Args:
            level: the level of the line.
            text: what happened. The line for several holds the newest text.
        """
        count = self._counts.get(level)
        if count is None:
            self._counts[level] = _Count(self._clock() + EVERY)
            self._log.log(level, text)
        else:
            count.number += 1
            count.newest = text

    def deadline(self) -> float | None:
        """Return when to call `tick` next; None: nothing is due."""
        if not self._counts:  # nearly always
            return None
        return min((count.until for count in self._counts.values()), default=None)

    def tick(self, now: float) -> None:
        """Write the lines that are due at `now`."""
        for level, count in list(self._counts.items()):
            if now < count.until:
                continue
            if not count.number:
                del self._counts[level]
                continue
            self._write(level, count)
            self._counts[level] = _Count(now + EVERY)

    def finish(self) -> None:
        """Write what is left: the container ends."""
        for level, count in self._counts.items():
            if count.number:
                self._write(level, count)
        self._counts.clear()

    def _write(self, level: str, count: _Count) -> None:
        more = (
            f" ({count.number:,} dropped or ignored in {EVERY:.0f} s)" if count.number > 1 else ""
        )
        self._log.log(level, count.newest + more)


class _Count:
    """The messages of one level since the last line."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.number = 0
        self.newest = ""
