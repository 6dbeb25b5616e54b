"""The state machine of a pipeline run: what happened → what to do. No I/O, threads or clock.

A node starts once all nodes it refers to are complete; with `*@`, one of its tasks starts for each
of their tasks. The driver starts and stops the tasks, and reports how each one ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from ..descriptor.descriptor import Node, Pipeline
from ..descriptor.inputs import MISSING, TaskInputs, TooManyTasks, expand, suggestion_at, value_at
from ..descriptor.references import Reference
from .actions import (
    Action,
    EndRun,
    FailureKind,
    Index,
    PipelineFailed,
    PipelineStopped,
    ReportNodeEnded,
    ReportNodeSkipped,
    ReportPathMissing,
    RunOutcome,
    StartTask,
    StopTask,
    Succeeded,
    TaskKey,
)
from .nodes import NodeState, TaskState, TaskStatus


class PipelineRun:
    """The state of one run.

    Attributes:
        outcome: how it ended; None until then.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.outcome: RunOutcome | None = None
        self._pipeline = pipeline
        self._nodes = {node.name: NodeState(node) for node in pipeline.nodes}
        self._children: dict[str, list[NodeState]] = {name: [] for name in self._nodes}
        for state in self._nodes.values():
            for parent in state.node.parents:
                self._children[parent].append(state)
        self._incomplete = len(self._nodes)
        self._noted: set[tuple[str, str]] = set()

    def begin(self) -> list[Action]:
        """Start the nodes that do not wait for others."""
        return self._settle(self._nodes.values())

    def task_done(self, key: TaskKey, result: Any) -> list[Action]:
        """Record that a task succeeded."""
        task = self._running(key)
        if task is None:
            return []
        task.status, task.result, task.inputs = TaskStatus.DONE, result, []
        return self._ended(key)

    def task_failed(self, key: TaskKey, text: str, failure: FailureKind) -> list[Action]:
        """Record that a task failed: retry it, or tolerate the failure, or fail the pipeline."""
        task = self._running(key)
        if task is None:
            return []
        state = self._nodes[key.node]
        retry = state.node.retry
        is_retried = failure.value is not None and retry.policy in (failure.value, "Always")
        if is_retried and task.attempts < retry.limit:
            task.attempts += 1
            return [_start(key, state.node, task)]
        task.status, task.error, task.inputs = TaskStatus.FAILED, text, []
        state.failed += 1
        reason = self._why_intolerable(state, text)
        if reason is not None:
            return self._end(PipelineFailed(reason, key))
        return self._ended(key)

    def stop(self, reason: str) -> list[Action]:
        """Stop the run, at somebody's request."""
        return self._end(PipelineStopped(reason))

    def expire(self) -> list[Action]:
        """Fail the run, because it exceeded the pipeline's ttl."""
        ttl = self._pipeline.ttl
        return self._end(PipelineFailed(f"it took longer than its ttl of {ttl} s"))

    def _running(self, key: TaskKey) -> TaskState | None:
        if self.outcome is not None:
            return None
        task = self._nodes[key.node].tasks.get(key.at)
        return task if task is not None and task.status is TaskStatus.STARTED else None

    def _why_intolerable(self, state: NodeState, text: str) -> str | None:
        """Return why a failed task fails the pipeline; None if its batch tolerates the failure."""
        if not state.is_batch:
            return text
        count, tolerance = len(state.tasks), self._pipeline.tolerance
        percent = (state.failed * 200 + count) // (count * 2)  # rounded half up
        if percent < tolerance:
            return None
        return (
            f"{state.failed}/{count} ({percent}%) failed tasks, "
            f"batch tolerance is {tolerance}%, error: {text}"
        )

    def _ended(self, key: TaskKey) -> list[Action]:
        state = self._nodes[key.node]
        state.unfinished -= 1
        actions: list[Action] = []
        if state.is_complete:
            self._incomplete -= 1
            return [ReportNodeEnded(key.node), *self._settle(self._children[key.node])]
        for child in self._children[key.node]:
            if child.node.any_parents and not self._start_round(child, key.at, actions):
                break
        return actions

    def _settle(self, changed: Iterable[NodeState]) -> list[Action]:
        """Start the nodes that can start, given those whose parents may now be complete."""
        actions: list[Action] = []
        pending = deque(changed)
        while pending and self.outcome is None:
            state = pending.popleft()
            if not state.is_open:
                continue
            if state.node.any_parents:
                self._start_rounds(state, actions)
            elif self._all_complete(state.node.parents):
                self._start_all(state, (), actions)
                state.is_open = False
            if state.is_complete:
                self._incomplete -= 1
                actions += self._completed(state)
                pending.extend(self._children[state.node.name])
        if not self._incomplete and self.outcome is None:
            actions += self._end(Succeeded(self._results()))
        return actions

    def _completed(self, state: NodeState) -> list[Action]:
        """Report a node that became complete without one of its own tasks ending."""
        if self.outcome is not None:
            return []
        if state.tasks:
            return [ReportNodeEnded(state.node.name)]
        return [ReportNodeSkipped(state.node.name, self._why_empty(state))]

    def _start_rounds(self, state: NodeState, actions: list[Action]) -> None:
        parents = [self._nodes[name] for name in state.node.any_parents]
        if all(parent.is_complete and not parent.is_batch for parent in parents):
            if self._all_complete(state.node.parents):
                self._start_all(state, (), actions)
                state.is_open = False
            return
        for index in sorted({index for parent in parents for index in parent.tasks}):
            if not self._start_round(state, index, actions):
                return
        if self._all_complete(state.node.parents):
            state.is_batch = True
            state.is_open = False

    def _start_round(self, state: NodeState, index: Index, actions: list[Action]) -> bool:
        """Start a node's tasks for one parent task, if it is ready; False if the run has ended."""
        if not index or index in state.rounds:
            return True
        parents = [self._nodes[name] for name in state.node.any_parents]
        if not self._all_complete(state.node.whole_parents) or not all(
            parent.has_ended(index) or (parent.is_complete and not parent.is_batch)
            for parent in parents
        ):
            return True
        state.rounds.add(index)
        state.is_batch = True
        return self._start_all(state, index, actions)

    def _start_all(self, state: NodeState, index: Index, actions: list[Action]) -> bool:
        """Start the tasks that a node's input expands to; False if there are too many."""
        node = state.node
        try:
            expansion = expand(
                node.inputs, node.operation, lambda reference: self._value(reference, index)
            )
        except TooManyTasks as error:
            actions += self._end(PipelineFailed(f"node '{node.name}': {error}"))
            return False
        actions += self._missing_paths(node)
        state.is_batch = state.is_batch or expansion.is_batch
        for at, inputs in _indexed(expansion, index):
            task = TaskState(inputs, batch_index=at[-1] if at else 0)
            state.tasks[at] = task
            state.unfinished += 1
            actions.append(_start(TaskKey(node.name, at), node, task))
        return True

    def _missing_paths(self, node: Node) -> Iterable[Action]:
        """Report the references of a node that lead nowhere, each of them once."""
        for reference in node.references:
            missing = self._nodes[reference.name].missing
            key = (node.name, str(reference))
            if reference.path in missing and key not in self._noted:
                self._noted.add(key)
                suggestion = suggestion_at(missing[reference.path], reference.path)
                yield ReportPathMissing(*key, suggestion)

    def _value(self, reference: Reference, index: Index) -> Any:
        """Return the value of a reference; for a batch its items.

        As in HKube, a batch over anything but an array is empty.
        """
        if reference.is_flow_input:
            value = value_at(self._pipeline.flow_input, reference.path)
        elif reference.relation.is_any and index:
            value = self._nodes[reference.name].value_of_task(reference, index)
        else:
            value = self._nodes[reference.name].value(reference)
        if reference.is_batch:
            return value if isinstance(value, list) else []
        return None if value is MISSING else value

    def _why_empty(self, state: NodeState) -> str:
        for reference in state.node.references:
            parent = self._nodes[reference.name]
            is_one_value = reference.is_batch and parent.tasks and not parent.is_batch
            if is_one_value and not isinstance(parent.value(reference), list):
                return f"'{reference}' is not an array"
        return "its batch is empty"

    def _all_complete(self, names: Iterable[str]) -> bool:
        return all(self._nodes[name].is_complete for name in names)

    def _results(self) -> list[dict[str, Any]]:
        return [
            entry
            for name, state in self._nodes.items()
            if not self._children[name] or state.node.in_results
            for entry in state.results()
        ]

    def _end(self, outcome: RunOutcome) -> list[Action]:
        if self.outcome is not None:
            return []
        self.outcome = outcome
        running = [
            StopTask(TaskKey(name, index))
            for name, state in self._nodes.items()
            for index, task in state.tasks.items()
            if task.status is TaskStatus.STARTED
        ]
        return [*running, EndRun(outcome)]


def _indexed(expansion: TaskInputs, index: Index) -> Iterable[tuple[Index, list[Any]]]:
    if not expansion.is_batch:
        return [(index, expansion.inputs[0])]
    return [((*index, number), inputs) for number, inputs in enumerate(expansion.inputs, start=1)]


def _start(key: TaskKey, node: Node, task: TaskState) -> StartTask:
    return StartTask(key, node, task.inputs, task.batch_index, task.attempts)
