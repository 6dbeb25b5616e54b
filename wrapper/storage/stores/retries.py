"""Trying again what a storage could not do just now."""

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
    """How to know the time and how to wait; seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    rand: Callable[[], float] = lambda: os.urandom(1)[0] / 256  # `random` is slow to import


class Retries:
    """Tries again, with growing pauses, until a time is up.

    Args:
        within: seconds, from the first try to the last.
        warn: takes a line for the log, at the first failure.
        clock: see there.
    """

    def __init__(
        self, within: float, warn: Callable[[str], None], clock: Clock | None = None
    ) -> None:
        self._within = within
        self._warn = warn
        self._clock = clock or Clock()

    def run(self, what: str, act: Callable[[], T], await_missing: bool = False) -> T:
        """The outcome of `act`, tried again while the storage is unavailable.

        Args:
            what: for the log: "reading local-hkube/j/t".
            act: raises StorageError.
            await_missing: it is also tried again while there is nothing: it is being written.

        Raises:
            StorageError: that of the last try.
        """
        passing = (Unavailable, Missing) if await_missing else (Unavailable,)
        clock, delay, told = self._clock, _FIRST_DELAY, False
        deadline = clock.now() + self._within
        while True:
            try:
                return interruptible(act)
            except passing as error:
                # Half of it by chance: tasks of one batch must not come back all at once.
                pause = delay * (0.5 + clock.rand() / 2)
                if clock.now() + pause > deadline:
                    raise
                if not told:
                    self._warn(f"{what}: {error}; trying again for {self._within:g} s")
                    told = True
            clock.sleep(pause)
            delay = min(delay * _FACTOR, _LONGEST_DELAY)
