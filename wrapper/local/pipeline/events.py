"""The events that pipeline runs send to their listener; how to show them is not decided here.

The listener receives one event at a time, but from several threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..worker import events as worker_events
from .run.actions import RunOutcome, TaskKey

Path = tuple[str, ...]
"""Where a run belongs: () for the pipeline itself. For a run that a task has started: the path of
the task's run, the task's node, and the name of what it started."""


@dataclass(frozen=True)
class PipelineEvent:
    """Base of all events.

    Attributes:
        at: the time in seconds, on the engine's clock.
        run: the run's path.
    """

    at: float
    run: Path


@dataclass(frozen=True)
class RunStarted(PipelineEvent):
    """A run began.

    Attributes:
        name: the name of the pipeline.
        nodes: the name of each node, and of its algorithm.
    """

    name: str
    nodes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TaskEvent(PipelineEvent):
    """Base of all events of a task."""

    task: TaskKey


@dataclass(frozen=True)
class TaskQueued(TaskEvent):
    """A task is ready, and waits for a process.

    Attributes:
        attempts: how often it has failed before.
    """

    attempts: int


@dataclass(frozen=True)
class TaskStarted(TaskEvent):
    """A process took the task."""


@dataclass(frozen=True)
class TaskDone(TaskEvent):
    """The task succeeded.

    Attributes:
        is_null: its result is null.
    """

    is_null: bool = False


@dataclass(frozen=True)
class TaskFailed(TaskEvent):
    """The task failed; it may be retried.

    Attributes:
        text: why it failed.
        details: the traceback, reduced to the user's code.
        hint: how to fix it, if known.
    """

    text: str
    details: str
    hint: str | None = None


@dataclass(frozen=True)
class TaskStopped(TaskEvent):
    """The task was stopped, because its run has ended.

    Attributes:
        was_running: False if it was still waiting for a process.
    """

    was_running: bool


@dataclass(frozen=True)
class TaskReported(TaskEvent):
    """The task reported something, for example its progress."""

    event: worker_events.WorkerEvent


@dataclass(frozen=True)
class NodeSkipped(PipelineEvent):
    """A node was skipped, because it has no tasks."""

    node: str
    why: str


@dataclass(frozen=True)
class PathMissing(PipelineEvent):
    """A reference of a node leads nowhere in the result of another node, and gives null.

    Attributes:
        reference: the reference as it is written.
        suggestion: what may have been meant; empty if nothing is alike.
    """

    node: str
    reference: str
    suggestion: str


@dataclass(frozen=True)
class NodeEnded(PipelineEvent):
    """All tasks of a node have ended, and there will be no more."""

    node: str


@dataclass(frozen=True)
class RunEnded(PipelineEvent):
    """A run ended."""

    outcome: RunOutcome


@dataclass(frozen=True)
class OutputLine(PipelineEvent):
    """An algorithm wrote a line.

    Attributes:
        task: the task that its process works on, or worked on last.
        line: the line, without its end.
    """

    task: TaskKey
    line: str


Listener = Callable[[PipelineEvent], None]
