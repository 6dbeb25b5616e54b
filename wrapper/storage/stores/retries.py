"""Repeats storage operations that failed temporarily."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from .interruptible import interruptible
from .store import Missing, Unavailable

_FIRST_DELAY = 0.2
_FACTOR = 1.8
_LONGEST_DELAY = 5.0

T = TypeVar("T")


class Clock(NamedTuple):
    """Functions to read the time and to wait, in seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    rand: Callable[[], float] = lambda: os.urandom(1)[0] / 256  # `random` is slow to import


class Retries:
    """Retries an operation, with growing pauses, for a limited time.

    Args:
        within: Seconds from the first attempt to the last.
        warn: Writes a warning to the log, after the first failure only.
        clock: Clock for tests; by default, the system's.
    """

    def __init__(
        self, within: float, warn: Callable[[str], None], clock: Clock | None = None
    ) -> None:
        self._within = within
        self._warn = warn
        self._clock = clock or Clock()

    def run(self, what: str, act: Callable[[], T], await_missing: bool = False) -> T:
        """Return the result of `act`, which is retried while the storage is unavailable.

        Args:
            what: Name of the operation in the log, such as "reading local-hkube/j/t".
            act: The operation; raises StorageError.
            await_missing: Whether to retry a missing object too, because it is being written.

        Raises:
            StorageError: The error of the last attempt.
        """
        temporary = (Unavailable, Missing) if await_missing else (Unavailable,)
        clock, delay, warned = self._clock, _FIRST_DELAY, False
        deadline = clock.now() + self._within
        while True:
            try:
                return interruptible(act)
            except temporary as error:
                # Randomized, so that the tasks of a batch do not all retry at the same moment.
                pause = delay * (0.5 + clock.rand() / 2)
                if clock.now() + pause > deadline:
                    raise
                if not warned:
                    self._warn(f"{what}: {error}; retrying for {self._within:g} s")
                    warned = True
            clock.sleep(pause)
            delay = min(delay * _FACTOR, _LONGEST_DELAY)
