"""The state of a node and of its tasks while the pipeline runs."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from ..descriptor.descriptor import Node
from ..descriptor.inputs import MISSING, value_at
from ..descriptor.references import Reference
from .actions import Index


class TaskStatus(enum.Enum):
    """The progress of a task."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


@dataclass
class TaskState:
    """The state of a task.

    Attributes:
        inputs: the input of its algorithm; emptied when the task ends, to free memory.
        batch_index: HKube's number: 0 for a node's only task, from 1 in a batch.
        attempts: how many times it was started again after a failure.
    """

    inputs: list[Any]
    batch_index: int
    status: TaskStatus = TaskStatus.STARTED
    attempts: int = 0
    result: Any = None
    error: str | None = None


@dataclass
class NodeState:
    """The state of a node: its tasks so far, and whether there may be more.

    Attributes:
        is_batch: whether its result is the list of its tasks' results.
        is_open: whether there may be more tasks.
        rounds: for a node with `*@`, the parent tasks for which its tasks have been started.
        unfinished: the number of tasks that have not ended.
        failed: the number of tasks that failed and will not be retried.
        missing: paths that were asked for and lead nowhere, with a result that lacks them.
    """

    node: Node
    tasks: dict[Index, TaskState] = field(default_factory=dict)
    is_batch: bool = False
    is_open: bool = True
    rounds: set[Index] = field(default_factory=set)
    unfinished: int = 0
    failed: int = 0
    missing: dict[tuple[str, ...], Any] = field(default_factory=dict)
    _values: dict[tuple[str, ...], Any] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether its result is final."""
        return not self.is_open and not self.unfinished

    def has_ended(self, index: Index) -> bool:
        """Return whether a task has ended, or will never exist."""
        task = self.tasks.get(index)
        return self.is_complete if task is None else task.status is not TaskStatus.STARTED

    def done(self) -> list[Any]:
        """Return the results of the tasks that succeeded, in the order of the batch."""
        ordered = sorted(self.tasks.items())
        return [task.result for _, task in ordered if task.status is TaskStatus.DONE]

    def value(self, reference: Reference) -> Any:
        """Return the value of a reference to the whole node; MISSING if its path does not exist.

        As in HKube, the path of a reference to a batch is applied to each task's result.
        """
        if not self.is_complete:
            return self._value(reference.path)
        # Each task of another batch may ask for it, so it is computed once and shared.
        if reference.path not in self._values:
            self._values[reference.path] = self._value(reference.path)
        return self._values[reference.path]

    def _value(self, path: tuple[str, ...]) -> Any:
        if not self.is_batch:
            return self._value_in(self.done()[0], path)
        values = (self._value_in(result, path) for result in self.done())
        return [None if value is MISSING else value for value in values]

    def _value_in(self, result: Any, path: tuple[str, ...]) -> Any:
        value = value_at(result, path)
        if value is MISSING:
            self.missing.setdefault(path, result)
        return value

    def value_of_task(self, reference: Reference, index: Index) -> Any:
        """Return the value of `*@` for one parent task: None if that failed, as in HKube."""
        if not self.is_batch:
            return self.value(reference)
        task = self.tasks.get(index)
        if task is None or task.status is not TaskStatus.DONE:
            return None
        return self._value_in(task.result, reference.path)

    def results(self) -> list[dict[str, Any]]:
        """Return the node's entries in the pipeline's result."""
        names = {"nodeName": self.node.name, "algorithmName": self.node.algorithm}
        if not self.tasks:
            return [names | {"result": []}]
        entries = []
        for _, task in sorted(self.tasks.items()):
            entry: dict[str, Any] = dict(names)
            if self.is_batch:
                entry["batchIndex"] = task.batch_index
            if task.status is TaskStatus.DONE:
                entry["result"] = task.result
            else:
                entry["error"] = task.error
            entries.append(entry)
        return entries
