"""How long to wait before the next attempt to connect."""

from __future__ import annotations

import random
from collections.abc import Callable

_FIRST_DELAY = 0.1  # seconds, as the other delays
_GROWTH = 1.6
_LONGEST_DELAY = 5.0
_STABLE_AFTER = 5.0


class BackOff:
    """Delays between attempts: 0.1 s × 1.6 up to 5 s, with full jitter.

    The jitter keeps the pods of a whole cluster from reconnecting at the same instant.

    Args:
        rand: returns a random number between 0 and 1.
    """

    def __init__(self, rand: Callable[[], float] = random.random) -> None:
        self._rand = rand
        self._longest = _FIRST_DELAY

    def next_delay(self) -> float:
        """Return the seconds to wait before the next attempt."""
        delay = self._longest * self._rand()
        self._longest = min(self._longest * _GROWTH, _LONGEST_DELAY)
        return delay

    def connected_for(self, seconds: float) -> None:
        """Note how long a connection lasted: only a stable one resets the delay."""
        if seconds >= _STABLE_AFTER:
            self._longest = _FIRST_DELAY
