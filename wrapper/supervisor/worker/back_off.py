"""How long to wait before the next attempt to connect."""

from __future__ import annotations

from collections.abc import Callable

_FIRST_DELAY = 0.1  # seconds, as the other delays
_GROWTH = 1.6
_LONGEST_DELAY = 5.0
_STABLE_AFTER = 5.0
# On the loopback a refused connection costs nothing, and the worker listens within seconds.
_LOCAL_DELAY = 0.05
_LOCAL_FOR = 60.0


def jitter() -> float:
    """Return a random number between 0 and 1."""
    from random import random  # here, because the first connection needs none

    return random()


class BackOff:
    """Delays between attempts: 0.1 s × 1.6 up to 5 s, with full jitter.

    The jitter keeps the pods of a whole cluster from reconnecting at the same instant. On the
    loopback the delay is 0.05 s while nothing listens there, for a minute.

    Args:
        rand: returns a random number between 0 and 1.
    """

    def __init__(self, rand: Callable[[], float] = jitter) -> None:
        self._rand = rand
        self._longest = _FIRST_DELAY
        self._nothing_listened_since: float | None = None

    def next_delay(self) -> float:
        """Return the seconds to wait before the next attempt."""
        delay = self._longest * self._rand()
        self._longest = min(self._longest * _GROWTH, _LONGEST_DELAY)
        return delay

    def local_delay(self, now: float) -> float:
        """Return the seconds to wait if nothing listens on the loopback."""
        if self._nothing_listened_since is None:
            self._nothing_listened_since = now
        if now - self._nothing_listened_since < _LOCAL_FOR:
            return _LOCAL_DELAY
        return self.next_delay()

    def something_listens(self) -> None:
        """Note that somebody took the connection, whatever came of it."""
        self._nothing_listened_since = None

    def connected_for(self, seconds: float) -> None:
        """Note how long a connection lasted: only a stable one resets the delay."""
        if seconds >= _STABLE_AFTER:
            self._longest = _FIRST_DELAY
