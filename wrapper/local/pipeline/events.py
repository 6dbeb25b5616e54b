"""What runs of pipelines tell their listener: facts only, nothing of how they are shown.

The listener hears one event at a time, but from several threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..worker import events as worker_events
from .run.actions import Outcome, TaskKey

Path = tuple[str, ...]
"""Where a run belongs: () for the pipeline itself; for a run that a task has started the task, and
what it asked for."""


@dataclass(frozen=True)
class PipelineEvent:
    """Base of all events.

    Attributes:
        at: seconds on the engine's clock.
        run: the run's path.
    """

    at: float
    run: Path


@dataclass(frozen=True)
class RunStarted(PipelineEvent):
    """A run begins.

    Attributes:
        name: of the pipeline.
        nodes: the names of its nodes, each with the name of its algorithm.
    """

    name: str
    nodes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TaskEvent(PipelineEvent):
    """Base of what happens to a task."""

    task: TaskKey


@dataclass(frozen=True)
class TaskWaiting(TaskEvent):
    """A task is ready, and waits for a process; `attempts` is how often it has failed before."""

    attempts: int


@dataclass(frozen=True)
class TaskRunning(TaskEvent):
    """A task has its process."""


@dataclass(frozen=True)
class TaskDone(TaskEvent):
    """A task succeeded."""


@dataclass(frozen=True)
class TaskFailed(TaskEvent):
    """A task failed, for this time.

    Attributes:
        details: the lines of the user's code that led there.
        hint: what to do about it, where that is known.
    """

    text: str
    details: str
    hint: str | None = None


@dataclass(frozen=True)
class TaskStopped(TaskEvent):
    """A task was stopped, because its run is over."""

    was_running: bool


@dataclass(frozen=True)
class TaskTold(TaskEvent):
    """A task told something, for example its progress."""

    event: worker_events.WorkerEvent


@dataclass(frozen=True)
class NodeSkipped(PipelineEvent):
    """A node has no tasks."""

    node: str
    why: str


@dataclass(frozen=True)
class NodeEnded(PipelineEvent):
    """All tasks of a node have ended, and no more will come."""

    node: str


@dataclass(frozen=True)
class RunEnded(PipelineEvent):
    """A run is over."""

    outcome: Outcome


@dataclass(frozen=True)
class OutputLine(PipelineEvent):
    """An algorithm wrote a line; `node` is the node that its process works for."""

    node: str
    line: str


Listener = Callable[[PipelineEvent], None]
