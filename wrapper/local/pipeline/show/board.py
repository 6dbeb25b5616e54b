"""Counts the waiting, running, done and failed tasks of each node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from ...worker import events as worker_events
from .. import events

SEPARATOR = " › "
_MOST_NAMES = 5


@dataclass
class Row:
    """A node, of the pipeline or of a run that one of its tasks has started.

    Attributes:
        label: how the node is shown.
        began: when its first task began, in seconds on the engine's clock; None before that.
        changed: when it last changed, on the same clock.
        is_over: whether all its tasks have ended.
        progress: the progress that its task last reported.
    """

    label: str
    algorithm: str
    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    stopped: int = 0
    began: float | None = None
    changed: float = 0.0
    is_over: bool = False
    skipped: bool = False
    progress: Any = None

    @property
    def total(self) -> int:
        """The number of its tasks so far."""
        return self.waiting + self.running + self.done + self.failed

    def seconds(self, now: float) -> float | None:
        """Return how many seconds it has worked, or None before its first task."""
        if self.began is None:
            return None
        return (now if self.running else self.changed) - self.began


def label_of(run: events.Path, node: str = "") -> str:
    """Return the label of a node, or of a run without a node, among those of all runs."""
    names: list[str] = []
    for position, name in enumerate((*run, node)):
        # The run of an algorithm has one node with the algorithm's name: show it once.
        is_repeated = position and position % 2 == 0 and name == run[position - 1]
        if name and not is_repeated:
            names.append(name)
    if len(names) > _MOST_NAMES:
        names[1 : 2 - _MOST_NAMES] = ["…"]
    return SEPARATOR.join(names)


@final
class Board:
    """A row for each node, kept up to date by events."""

    def __init__(self) -> None:
        self._rows: dict[tuple[events.Path, str], Row] = {}

    @property
    def rows(self) -> list[Row]:
        """All rows, in the order of the descriptors; safe from any thread."""
        return list(self._rows.values())

    def row(self, run: events.Path, node: str) -> Row:
        """Return the row of a node; a new node gets one."""
        key = (run, node)
        if key not in self._rows:
            self._rows[key] = Row(label_of(run, node), node)
        return self._rows[key]

    def update(self, event: events.PipelineEvent) -> None:
        """Update the rows with an event."""
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
            case events.TaskQueued():
                row.waiting += 1
                row.failed -= event.attempts > 0
            case events.TaskStarted():
                row.waiting -= 1
                row.running += 1
                row.began = event.at if row.began is None else row.began
            case events.TaskDone():
                row.running -= 1
                row.done += 1
            case events.TaskFailed():
                row.running -= 1
                row.failed += 1
            case events.TaskStopped():
                row.stopped += 1
                if event.was_running:
                    row.running -= 1
                else:
                    row.waiting -= 1
            case events.TaskReported(event=worker_events.Progress() as progress):
                row.progress = progress.value
        row.changed = event.at
