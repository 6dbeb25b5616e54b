"""Decides which waiting task goes to which algorithm process, and which processes exist. No I/O.

The number of running tasks is limited. A task that waits for one of its own calls does not count:
the call may need its place, and would otherwise wait for ever. Tasks that other tasks wait for go
first: otherwise every task of a batch would begin, and then wait.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Open:
    """Start a process for an algorithm, and give it a task."""

    process: int
    algorithm: str
    task: str


@dataclass(frozen=True)
class Assign:
    """Give a task to an idle process."""

    process: int
    task: str


@dataclass(frozen=True)
class Close:
    """End an idle process."""

    process: int


Decision = Open | Assign | Close


@dataclass
class _Process:
    algorithm: str
    task: str | None
    calls: int = 0
    idle_since: int = 0

    @property
    def counts(self) -> bool:
        """Whether it counts towards the limit."""
        return not self.calls


class _Waiting(NamedTuple):
    """A task without a process; the smallest goes first, and no two have the same number."""

    priority: int
    number: int
    task: str
    algorithm: str


class Schedule:
    """The processes, and the tasks that wait for a process."""

    def __init__(self, limit: int) -> None:
        """Create a schedule without processes and tasks.

        Args:
            limit: how many tasks run at once.
        """
        self._limit = limit
        self._numbers = itertools.count(1)
        self._waiting: list[_Waiting] = []
        self._unplaced: set[str] = set()
        self._processes: dict[int, _Process] = {}
        self._has_changed = False  # since the last decisions

    def add(self, task: str, algorithm: str, depth: int) -> None:
        """Add a task.

        Args:
            task: its id.
            algorithm: the name of its algorithm.
            depth: how many tasks wait for it, directly or indirectly.
        """
        heapq.heappush(self._waiting, _Waiting(-depth, next(self._numbers), task, algorithm))
        self._unplaced.add(task)
        self._has_changed = True

    def remove(self, task: str) -> bool:
        """Remove a waiting task; returns False if the task is not waiting."""
        is_waiting = task in self._unplaced
        self._unplaced.discard(task)
        self._has_changed = True
        return is_waiting

    def call_opened(self, process: int) -> None:
        """Note that the task of a process waits for another call."""
        if process in self._processes:
            self._processes[process].calls += 1
            self._has_changed = True

    def call_closed(self, process: int) -> None:
        """Note that the task of a process waits for one call fewer."""
        if process in self._processes and self._processes[process].calls:
            self._processes[process].calls -= 1
            self._has_changed = True

    def freed(self, process: int) -> None:
        """Note that the task of a process has ended, and that the process is idle."""
        if process in self._processes:
            found = self._processes[process]
            found.task, found.calls, found.idle_since = None, 0, next(self._numbers)
            self._has_changed = True

    def gone(self, process: int) -> None:
        """Note that a process has exited, or cannot take tasks any more."""
        self._processes.pop(process, None)
        self._has_changed = True

    def decide(self) -> list[Decision]:
        """Return the decisions that are due; the schedule assumes that they are carried out."""
        if not self._has_changed:  # nearly always: the engine asks after each event
            return []
        self._has_changed = False
        decisions: list[Decision] = []
        while self._next() is not None and self._running() < self._limit:
            waiting = heapq.heappop(self._waiting)
            self._unplaced.discard(waiting.task)
            idle = self._idle(waiting.algorithm)
            if idle is not None:
                self._processes[idle].task = waiting.task
                decisions.append(Assign(idle, waiting.task))
                continue
            decisions += self._make_room(self._limit - 1)
            number = next(self._numbers)
            self._processes[number] = _Process(waiting.algorithm, waiting.task)
            decisions.append(Open(number, waiting.algorithm, waiting.task))
        return decisions + self._make_room(self._limit)

    def _next(self) -> _Waiting | None:
        while self._waiting and self._waiting[0].task not in self._unplaced:
            heapq.heappop(self._waiting)
        return self._waiting[0] if self._waiting else None

    def _running(self) -> int:
        return sum(each.counts and each.task is not None for each in self._processes.values())

    def _idle(self, algorithm: str | None = None) -> int | None:
        """Return an idle process: of one algorithm the one idle for the shortest time, of all the
        one idle for the longest."""
        idle = [
            (each.idle_since, number)
            for number, each in self._processes.items()
            if each.task is None and algorithm in (None, each.algorithm)
        ]
        if not idle:
            return None
        return (min(idle) if algorithm is None else max(idle))[1]

    def _make_room(self, limit: int) -> list[Decision]:
        """Close idle processes until at most `limit` count."""
        closed: list[Decision] = []
        while sum(each.counts for each in self._processes.values()) > limit:
            idle = self._idle()
            if idle is None:
                break
            del self._processes[idle]
            closed.append(Close(idle))
        return closed
