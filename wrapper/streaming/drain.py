"""Holding a task's end back until the messages that wait have been handed over.

The supervisor puts what ends a task (`stopped`, `done`, the container's exit) in here. It comes
out when the queue is empty, when nobody has asked for a while, or at a limit. Meanwhile HKube's
worker is told that the task lives: `stopping` each second re-arms its 10 seconds, `alive` the timer
that watches the task.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

STOPPING_EVERY = 1.0
ALIVE_EVERY = 2.0
# Nobody has asked for so long: nobody will. A child's pod that starts asks after 5 to 10 seconds.
SILENCE = 15.0

T = TypeVar("T")


class Signs(NamedTuple):
    """What is due while a task's end is held back.

    Attributes:
        stopping: send `stopping`.
        alive: send `alive`.
    """

    stopping: bool
    alive: bool


class Drain(Generic[T]):
    """One end of a task that is held back.

    Args:
        held: what happens at the end.
        answers_stop: HKube waits for `stopped`: tell it that this takes time.
        within: seconds that the drain may take.
        now: seconds, on the caller's clock.
    """

    def __init__(self, held: list[T], answers_stop: bool, within: float, now: float) -> None:
        self.held = held
        self.answers_stop = answers_stop
        self._began = now
        self._until = now + within
        self._next_stopping = now
        self._next_alive = now + ALIVE_EVERY

    def is_over(self, is_empty: bool, last_asked: float | None, now: float) -> bool:
        """Whether to go on to the end.

        Args:
            is_empty: every message was handled.
            last_asked: when a consumer last asked for or reported something; None: never.
        """
        if is_empty or now >= self._until:
            return True
        return now - max(last_asked or 0.0, self._began) >= SILENCE

    def cancel(self) -> None:
        """Go on to the end at once."""
        self._until = 0.0

    def signs(self, now: float) -> Signs:
        """What is due at `now`."""
        stopping = self.answers_stop and now >= self._next_stopping
        if stopping:
            self._next_stopping = now + STOPPING_EVERY
        alive = now >= self._next_alive
        if alive:
            self._next_alive = now + ALIVE_EVERY
        return Signs(stopping, alive)

    def deadline(self, last_asked: float | None) -> float:
        """When to look again, if nothing happens before."""
        silence = max(last_asked or 0.0, self._began) + SILENCE
        earliest = min(self._until, silence, self._next_alive)
        return min(earliest, self._next_stopping) if self.answers_stop else earliest
