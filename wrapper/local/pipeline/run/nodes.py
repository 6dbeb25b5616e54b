"""What is known of a node while its pipeline runs."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from ..descriptor.descriptor import Node
from ..descriptor.inputs import MISSING, value_at
from ..descriptor.references import Reference
from .actions import Index


class TaskStatus(enum.Enum):
    """How far a task is."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


@dataclass
class TaskState:
    """One task.

    Attributes:
        batch_index: what HKube calls it: 0 for a node's only task, from 1 in a batch.
        attempts: how many times it failed and was started again.
    """

    inputs: list[Any]
    batch_index: int
    status: TaskStatus = TaskStatus.STARTED
    attempts: int = 0
    result: Any = None
    error: str | None = None


@dataclass
class NodeState:
    """One node: its tasks so far, and whether more of them will come.

    Attributes:
        is_batch: its result is the list of its tasks' results.
        is_open: more tasks may come.
        rounds: of a node with `*@` the tasks of its parents that had their turn.
        unfinished: how many tasks have not ended.
        failed: how many tasks have failed for good.
    """

    node: Node
    tasks: dict[Index, TaskState] = field(default_factory=dict)
    is_batch: bool = False
    is_open: bool = True
    rounds: set[Index] = field(default_factory=set)
    unfinished: int = 0
    failed: int = 0
    _values: dict[tuple[str, ...], Any] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether its result is final."""
        return not self.is_open and not self.unfinished

    def has_ended(self, index: Index) -> bool:
        """Whether one task has ended, or will never be."""
        task = self.tasks.get(index)
        return self.is_complete if task is None else task.status is not TaskStatus.STARTED

    def done(self) -> list[Any]:
        """The results of the tasks that succeeded, in the order of the batch."""
        ordered = sorted(self.tasks.items())
        return [task.result for _, task in ordered if task.status is TaskStatus.DONE]

    def value(self, reference: Reference) -> Any:
        """What a reference to the whole node stands for; MISSING if its path leads nowhere.

        A path leads into each task's result where there are several, as in HKube.
        """
        if not self.is_complete:
            return self._value(reference.path)
        # Each task of another batch may ask for it: it is put together once, and shared.
        if reference.path not in self._values:
            self._values[reference.path] = self._value(reference.path)
        return self._values[reference.path]

    def _value(self, path: tuple[str, ...]) -> Any:
        if not self.is_batch:
            return value_at(self.done()[0], path)
        values = (value_at(result, path) for result in self.done())
        return [None if value is MISSING else value for value in values]

    def value_of_task(self, reference: Reference, index: Index) -> Any:
        """What `*@` stands for in the round of one task: null if that failed, as in HKube."""
        if not self.is_batch:
            return self.value(reference)
        task = self.tasks.get(index)
        if task is None or task.status is not TaskStatus.DONE:
            return None
        return value_at(task.result, reference.path)

    def results(self) -> list[dict[str, Any]]:
        """The node's entries in the pipeline's result."""
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
