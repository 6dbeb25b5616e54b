"""How many tasks of each node wait, run, are done and have failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from ...worker import events as worker_events
from .. import events

SEPARATOR = " › "
_MOST_NAMES = 5


@dataclass
class Row:
    """One node, or what is like one in a run that another has started.

    Attributes:
        began: when its first task ran; None before.
        changed: when something happened to it last.
        is_over: nothing more will happen to it.
        progress: what its task told last, if it has one.
    """

    label: str
    algorithm: str
    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    began: float | None = None
    changed: float = 0.0
    is_over: bool = False
    skipped: bool = False
    progress: Any = None

    @property
    def total(self) -> int:
        """How many tasks it has had so far."""
        return self.waiting + self.running + self.done + self.failed

    def seconds(self, now: float) -> float | None:
        """How long it has worked, or None if it has not begun."""
        if self.began is None:
            return None
        return (now if self.running else self.changed) - self.began


def label_of(run: events.Path, node: str = "") -> str:
    """Return how a node, or a run, is called where all runs are shown together."""
    names: list[str] = []
    for position, name in enumerate((*run, node)):
        # A run of an algorithm has one node, of the algorithm's name: once is enough.
        is_repeated = position and position % 2 == 0 and name == run[position - 1]
        if name and not is_repeated:
            names.append(name)
    if len(names) > _MOST_NAMES:
        names[1 : 2 - _MOST_NAMES] = ["…"]
    return SEPARATOR.join(names)


@final
class Board:
    """The rows, kept up to date by the events."""

    def __init__(self) -> None:
        self._rows: dict[tuple[events.Path, str], Row] = {}

    @property
    def rows(self) -> list[Row]:
        """All rows, in the order of the descriptors; safe from any thread."""
        return list(self._rows.values())

    def row(self, run: events.Path, node: str) -> Row:
        """The row of a node."""
        key = (run, node)
        if key not in self._rows:
            self._rows[key] = Row(label_of(run, node), node)
        return self._rows[key]

    def hear(self, event: events.PipelineEvent) -> None:
        """Take an event."""
        if isinstance(event, events.RunStarted):
            for node, algorithm in event.nodes:
                self.row(event.run, node).algorithm = algorithm
        elif isinstance(event, events.TaskEvent):
            self._count(event, self.row(event.run, event.task.node))
        elif isinstance(event, events.NodeSkipped):
            row = self.row(event.run, event.node)
            row.is_over = row.skipped = True
        elif isinstance(event, events.NodeEnded):
            self.row(event.run, event.node).is_over = True

    def _count(self, event: events.TaskEvent, row: Row) -> None:
        match event:
            case events.TaskWaiting():
                row.waiting += 1
                row.failed -= event.attempts > 0
            case events.TaskRunning():
                row.waiting -= 1
                row.running += 1
                row.began = event.at if row.began is None else row.began
            case events.TaskDone():
                row.running -= 1
                row.done += 1
            case events.TaskFailed():
                row.running -= 1
                row.failed += 1
            case events.TaskStopped(was_running=True):
                row.running -= 1
            case events.TaskStopped():
                row.waiting -= 1
            case events.TaskTold(event=worker_events.Progress() as told):
                row.progress = told.value
        row.changed = event.at
