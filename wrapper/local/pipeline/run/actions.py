"""What a run of a pipeline asks for, and how it ends."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..descriptor.descriptor import Node

Index = tuple[int, ...]
"""Which task of a node: () its only one, (3,) the third of a batch, (3, 2) of `*#@` the second
of those that the third one made."""


class TaskKey(NamedTuple):
    """A task of the run: its node's name, and which of the node's tasks it is."""

    node: str
    at: Index = ()

    def __str__(self) -> str:
        return self.node + "".join(f"[{number}]" for number in self.at)


@dataclass(frozen=True)
class StartTask:
    """Give a task to its algorithm.

    Attributes:
        attempts: how many times that was done before.
    """

    key: TaskKey
    node: Node
    inputs: list[Any]
    batch_index: int
    attempts: int


@dataclass(frozen=True)
class StopTask:
    """End a task that was started; how it ends does not matter any more."""

    key: TaskKey


@dataclass(frozen=True)
class ReportNodeSkipped:
    """A node has no tasks, because its batch is empty."""

    node: str
    why: str


@dataclass(frozen=True)
class ReportNodeEnded:
    """All tasks of a node have ended, and no more will come."""

    node: str


@dataclass(frozen=True)
class Succeeded:
    """Every node ended well enough; the results are of those that no other uses."""

    results: list[dict[str, Any]]


@dataclass(frozen=True)
class PipelineFailed:
    """The pipeline failed.

    Attributes:
        text: why: the words of the algorithm, or of HKube's rule for batches.
        key: of the task that did it, if one did.
    """

    text: str
    key: TaskKey | None = None


@dataclass(frozen=True)
class PipelineStopped:
    """The pipeline was stopped by somebody."""

    reason: str


Outcome = Succeeded | PipelineFailed | PipelineStopped


@dataclass(frozen=True)
class End:
    """The run is over: nothing more is started."""

    outcome: Outcome


Action = StartTask | StopTask | ReportNodeSkipped | ReportNodeEnded | End


class FailureKind(enum.Enum):
    """How a task failed; the value is the retry policy that starts it again, besides Always."""

    ERROR = "OnError"
    CRASH = "OnCrash"
    EXPIRED = None
