"""A run of a streaming pipeline as a state machine: what happened → what to do."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from ...worker import events
from ...worker.timeouts import STOP_TIMEOUT
from .actions import Discover, EndStream, KillPod, SayRemark, StartPod, StopPod, StreamAction
from .levels import levels
from .scaling import NodeScaling

MOST_FAILURES = {True: 10, False: 4}
"""How many failures of a node within FAILURE_WINDOW end the run, by whether it is stateless."""
FAILURE_WINDOW = 60.0
RESTART_AFTER = 0.5
"""Seconds before the first restart of a failed pod; each one after it takes twice as long."""
DRAIN_TIMEOUT = 600.0
"""Seconds that HKube's worker waits for a pod to hand over its messages."""


@dataclass(frozen=True)
class RunNode:
    """A node as a run sees it.

    Attributes:
        pods: how many pods it starts with; a stateful node keeps that number.
        most: the maximum number of pods of a stateless node.
    """

    name: str
    is_stateless: bool
    pods: int
    most: int
    parents: tuple[str, ...]
    children: tuple[str, ...]
    is_batch: bool = False


class PodPhase(enum.Enum):
    """How far a pod is."""

    STARTING = enum.auto()
    READY = enum.auto()
    STOPPING = enum.auto()


@dataclass
class _PodState:
    """A pod: its node, how far it is, and when it is killed if it does not stop."""

    node: RunNode
    batch_index: int
    phase: PodPhase = PodPhase.STARTING
    is_listed: bool = False
    kill_at: float | None = None


@final
class StreamRun:
    """The pods of a streaming pipeline.

    Args:
        nodes: the pipeline's nodes.
        drains_at_done: whether the other nodes are drained when a stateful node has ended; HKube
            stops them at once.
    """

    def __init__(self, nodes: Sequence[RunNode], drains_at_done: bool = False) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._drains_at_done = drains_at_done
        self._levels = levels({node.name: node.parents for node in nodes})
        self._pods: dict[int, _PodState] = {}
        self._next = 1
        self._scaling = {
            node.name: NodeScaling(node.pods, node.most) for node in nodes if node.is_stateless
        }
        self._failures: dict[str, deque[float]] = {node.name: deque() for node in nodes}
        self._restarts: list[tuple[float, RunNode, int]] = []
        self._drained: set[str] | None = None
        self._end: EndStream | None = None
        self._is_forced = False
        self._is_over = False

    @property
    def pod_counts(self) -> dict[str, int]:
        """How many pods each node has."""
        counts = dict.fromkeys(self._nodes, 0)
        for pod in self._pods.values():
            counts[pod.node.name] += 1
        return counts

    def begin(self) -> list[StreamAction]:
        """Start the pods."""
        actions: list[StreamAction] = []
        for node in self._nodes.values():
            for index in range(node.pods):
                actions.append(self._start(node, index + 1 if node.is_batch else 0))
        return actions

    def pod_ready(self, number: int) -> list[StreamAction]:
        """Note that a pod's task is initialized: its children can connect."""
        pod = self._pods.get(number)
        if pod is None or pod.phase is not PodPhase.STARTING:
            return []
        pod.phase, pod.is_listed = PodPhase.READY, True
        actions: list[StreamAction] = []
        parents = tuple(
            (each, True)
            for each, other in self._pods.items()
            if other.is_listed and other.node.name in pod.node.parents
        )
        if parents:
            actions.append(Discover(number, parents))
        return actions + self._tell_children(number, pod, True)

    def statistics(
        self, number: int, reports: Sequence[Mapping[str, Any]], now: float
    ) -> list[StreamAction]:
        """Take a report of a pod, and scale the nodes that it is about."""
        if number not in self._pods:
            return []
        actions: list[StreamAction] = []
        for report in reports:
            name = str(report.get("nodeName"))
            scaling = self._scaling.get(name)
            if scaling is not None:
                scaling.report(number, report, now)
                actions += self._scale(self._nodes[name], now)
        return actions

    def pod_ended(self, number: int, outcome: events.Outcome, now: float) -> list[StreamAction]:
        """Note that a pod's task has ended."""
        pod = self._pods.pop(number, None)
        if pod is None:
            return []
        for scaling in self._scaling.values():
            scaling.gone(number)
        actions = self._tell_children(number, pod, False) if pod.is_listed else []
        if pod.phase is not PodPhase.STOPPING:
            if isinstance(outcome, events.Done) and not pod.node.is_stateless:
                actions += self._node_done(pod.node, now)
            elif not isinstance(outcome, events.Stopped):
                actions += self._failed(pod, outcome, now)
        return actions + self._go_on(now)

    def tick(self, now: float) -> list[StreamAction]:
        """Do what is due."""
        actions: list[StreamAction] = []
        due = [restart for restart in self._restarts if restart[0] <= now]
        self._restarts = [restart for restart in self._restarts if restart[0] > now]
        actions += [self._start(node, index) for _, node, index in due]
        for number, pod in self._pods.items():
            if pod.kill_at is not None and pod.kill_at <= now:
                pod.kill_at = None
                actions.append(SayRemark(f"{pod.node.name} did not stop in time"))
                actions.append(KillPod(number))
        return actions + self._go_on(now)

    def drain(self, reason: str, now: float, has_failed: bool = False) -> list[StreamAction]:
        """End the run node by node, from the sources on; each hands over its messages first."""
        if self._end is not None:
            return []
        self._end = EndStream(reason, has_failed)
        self._drained = set()
        return self._go_on(now)

    def stop(self, reason: str, now: float, has_failed: bool = False) -> list[StreamAction]:
        """End the run at once, as HKube ends a pipeline; what waits in the nodes is lost."""
        if self._is_forced:
            return []
        self._is_forced, self._drained = True, None
        self._end = self._end or EndStream(reason, has_failed)
        self._restarts.clear()
        return self._stop_pods(list(self._pods), True, now) + self._go_on(now)

    # ---------------------------------------------------------------------------- inside --
    def _start(self, node: RunNode, batch_index: int) -> StartPod:
        number, self._next = self._next, self._next + 1
        self._pods[number] = _PodState(node, batch_index)
        return StartPod(number, node.name, batch_index)

    def _tell_children(self, number: int, pod: _PodState, has_come: bool) -> list[StreamAction]:
        return [
            Discover(child, ((number, has_come),))
            for child, other in self._pods.items()
            if other.phase is not PodPhase.STARTING and other.node.name in pod.node.children
        ]

    def _stop_pods(self, numbers: Sequence[int], force: bool, now: float) -> list[StreamAction]:
        for number in numbers:
            pod = self._pods[number]
            pod.phase = PodPhase.STOPPING
            pod.kill_at = now + (STOP_TIMEOUT if force else DRAIN_TIMEOUT)
        return [StopPod(number, force) for number in numbers]

    def _pods_of(self, name: str, stopping: bool = False) -> list[int]:
        return [
            number
            for number, pod in self._pods.items()
            if pod.node.name == name and (stopping or pod.phase is not PodPhase.STOPPING)
        ]

    def _scale(self, node: RunNode, now: float) -> list[StreamAction]:
        if self._is_forced or (self._drained is not None and node.name in self._drained):
            return []
        if any(restart[1] is node for restart in self._restarts):
            return []
        present = self._pods_of(node.name)
        wanted = self._scaling[node.name].decide(len(present), now)
        if wanted < len(present):
            return self._stop_pods(present[wanted:], False, now)
        return [self._start(node, 0) for _ in range(wanted - len(present))]

    def _node_done(self, node: RunNode, now: float) -> list[StreamAction]:
        reason = f"{node.name} has ended"
        return self.drain(reason, now) if self._drains_at_done else self.stop(reason, now)

    def _failed(self, pod: _PodState, outcome: events.Outcome, now: float) -> list[StreamAction]:
        """Replace a pod that has failed, unless its node fails again and again."""
        node = pod.node
        if self._is_forced or (self._drained is not None and node.name in self._drained):
            return []
        failures = self._failures[node.name]
        failures.append(now)
        while failures[0] < now - FAILURE_WINDOW:
            failures.popleft()
        if len(failures) >= MOST_FAILURES[node.is_stateless]:
            why = f"{node.name} failed {len(failures)} times"
            self._end = EndStream(why, True)
            return self.stop(why, now)
        delay = RESTART_AFTER * 2 ** (len(failures) - 1)
        self._restarts.append((now + min(delay, 5.0), node, pod.batch_index))
        return []

    def _go_on(self, now: float) -> list[StreamAction]:
        """Stop the next level of a drain, and end the run after the last pod."""
        if self._end is None or self._is_over:
            return []
        actions: list[StreamAction] = []
        if self._drained is not None:
            for level in self._levels:
                actions += self._drain_level(level, now)
                if any(self._pods_of(name, stopping=True) for name in level):
                    return actions
        if self._pods:
            return actions
        self._is_over = True
        return [*actions, self._end]

    def _drain_level(self, level: Sequence[str], now: float) -> list[StreamAction]:
        assert self._drained is not None
        fresh = [name for name in level if name not in self._drained]
        self._drained.update(fresh)
        self._restarts = [each for each in self._restarts if each[1].name not in self._drained]
        numbers = [number for name in fresh for number in self._pods_of(name)]
        return self._stop_pods(numbers, False, now)
