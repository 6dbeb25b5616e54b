"""What a pipeline run asks its driver to do, and how it ends."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..descriptor.descriptor import Node

Index = tuple[int, ...]
"""Which task of a node: () the only one; (3,) the third of a batch; (3, 2) with `*#@` the second
of the tasks made from the result of the third."""


class TaskKey(NamedTuple):
    """A task of the run: the name of its node, and which of the node's tasks it is."""

    node: str
    at: Index = ()

    def __str__(self) -> str:
        return self.node + "".join(f"[{number}]" for number in self.at)


@dataclass(frozen=True)
class StartTask:
    """Start a task.

    Attributes:
        inputs: the input of its algorithm.
        batch_index: HKube's number of the task in its batch; 0 without a batch.
        attempts: how many times it was started before.
    """

    key: TaskKey
    node: Node
    inputs: list[Any]
    batch_index: int
    attempts: int


@dataclass(frozen=True)
class StopTask:
    """Stop a task that was started; its outcome does not matter any more."""

    key: TaskKey


@dataclass(frozen=True)
class ReportNodeSkipped:
    """Report that a node has no tasks, because its batch is empty."""

    node: str
    why: str


@dataclass(frozen=True)
class ReportPathMissing:
    """Report that a reference of a node leads nowhere in the result of another, and gives null.

    Attributes:
        reference: the reference as it is written.
        suggestion: what may have been meant; empty if nothing is alike.
    """

    node: str
    reference: str
    suggestion: str


@dataclass(frozen=True)
class ReportNodeEnded:
    """Report that all tasks of a node have ended, and that there will be no more."""

    node: str


@dataclass(frozen=True)
class Succeeded:
    """Every node succeeded, or failed within the tolerance.

    Attributes:
        results: the results of the nodes that no other node uses.
    """

    results: list[dict[str, Any]]


@dataclass(frozen=True)
class PipelineFailed:
    """The pipeline failed.

    Attributes:
        text: why: the error of an algorithm, or HKube's message about a failed batch.
        key: the task that made it fail, if there is one.
    """

    text: str
    key: TaskKey | None = None


@dataclass(frozen=True)
class PipelineStopped:
    """Somebody stopped the pipeline."""

    reason: str


RunOutcome = Succeeded | PipelineFailed | PipelineStopped


@dataclass(frozen=True)
class EndRun:
    """End the run: nothing more will be started."""

    outcome: RunOutcome


Action = StartTask | StopTask | ReportNodeSkipped | ReportPathMissing | ReportNodeEnded | EndRun


class FailureKind(enum.Enum):
    """How a task failed; the value is the retry policy, besides Always, that starts it again."""

    ERROR = "OnError"
    CRASH = "OnCrash"
    EXPIRED = None
