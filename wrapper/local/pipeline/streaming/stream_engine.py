"""Runs a streaming pipeline with processes on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, final

from ...worker import events
from ...worker.answers import Answers
from ...worker.storage import LocalStorage
from ...worker.waiting import wait_done
from ..engine.loop import Loop
from .actions import Discover, EndStream, KillPod, SayRemark, StartPod, StopPod, StreamAction
from .edge_statistics import EdgeState, EdgeStatistics
from .node_load import NodeLoad, NodeLoads
from .pods import Pods
from .stream_plan import StreamPlan
from .stream_run import StreamRun

TICK = 0.25
"""Seconds between two looks at the clock."""


class StreamView(Protocol):
    """Shows a run. `line` may be called in any thread."""

    def write(self, line: str) -> None: ...
    def line(self, node: str, line: str) -> None: ...
    def say(self, text: str) -> None: ...
    def failed(self, node: str, outcome: events.Failed | events.Lost) -> None: ...
    def message(self, node: str, message: Any) -> None: ...
    def edges(self, states: list[EdgeState], pods: Mapping[str, int], now: float) -> None: ...
    def loads(self, loads: Mapping[str, NodeLoad]) -> None: ...
    def ended(self, end: EndStream, states: list[EdgeState], now: float) -> None: ...


@dataclass(frozen=True)
class StreamLimits:
    """When a run ends.

    Attributes:
        ttl: seconds after which HKube stops it.
        duration: seconds, once all nodes have started, after which it is drained; None for no
            limit.
        messages: how many messages leave the last nodes before it ends; None for no limit.
        drains_at_done: whether the others are drained when a stateful node has ended.
    """

    ttl: float
    duration: float | None = None
    messages: int | None = None
    drains_at_done: bool = False


@final
class StreamEngine:
    """Runs one streaming pipeline.

    A context manager: all processes have ended after it.
    """

    def __init__(
        self,
        plan: StreamPlan,
        limits: StreamLimits,
        view: StreamView,
        answers: Answers,
        environ: Mapping[str, str],
        storage: LocalStorage,
        on_ready: Callable[[str], object] = lambda node: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create an engine.

        Args:
            plan: the nodes.
            limits: when the run ends.
            view: shows the run.
            answers: replies to calls of algorithms.
            environ: the base environment of the processes.
            storage: the storage of mode v3.
            on_ready: called with the name of a node that has started.
            clock: returns seconds.
        """
        self._limits = limits
        self._view = view
        self._counted = plan.counted
        self._on_ready = on_ready
        self._clock = clock
        self._loop = Loop(on_error=self._on_internal_error, clock=clock)
        self._run = StreamRun(plan.nodes, limits.drains_at_done)
        self._statistics = EdgeStatistics(plan.edges)
        self._loads = NodeLoads()
        self._pods = Pods(
            self._loop, plan, answers, environ, storage, view.line, self._event, self._pod_ended
        )
        self._nodes: dict[int, str] = {}
        self._waited_for = {node.name for node in plan.nodes if node.pods}
        self._is_timed = False
        self._collected = 0
        self._has_stopped = False
        self._outcome: Future[EndStream] = Future()

    def __enter__(self) -> StreamEngine:
        self._loop.start()
        return self

    def __exit__(self, exc_type: object, *exc_info: object) -> None:
        if exc_type is None:
            self._pods.close()
        else:
            self._pods.kill()
        self._loop.end()

    def run(self) -> EndStream:
        """Run the pipeline until it ends; call it again to go on waiting."""
        if not self._nodes:
            self._loop.post(self._begin)
        wait_done(self._outcome)
        return self._outcome.result()

    def drain(self, reason: str, has_failed: bool = False) -> None:
        """End the run from the sources on; safe from any thread."""
        self._loop.post(
            lambda: self._do(self._run.drain(reason, self._clock(), has_failed=has_failed))
        )

    def collect(self, node: str, message: Any) -> None:
        """Take a message that left the pipeline; safe from any thread."""
        self._loop.post(self._take_output, node, message)

    def kill(self) -> None:
        """End all processes at once; safe from any thread."""
        self._pods.kill()

    # ------------------------------------------------------------------ in the loop's thread --
    def _begin(self) -> None:
        self._do(self._run.begin())
        self._loop.after(self._limits.ttl, self._stop, f"options.ttl, {self._limits.ttl:g} s", True)
        self._tick()

    def _tick(self) -> None:
        if self._outcome.done():
            return
        now = self._clock()
        self._do(self._run.tick(now))
        if self._loads.is_due(now):
            self._loads.measured(self._pods.usages(), self._nodes, now)
            self._view.loads(self._loads.loads)
        self._view.edges(list(self._statistics.states(now)), self._run.pod_counts, now)
        self._loop.after(TICK, self._tick)

    def _stop(self, reason: str, has_failed: bool = False) -> None:
        self._do(self._run.stop(reason, self._clock(), has_failed))

    def _event(self, number: int, event: events.WorkerEvent) -> None:
        node = self._nodes[number]
        if isinstance(event, events.StatisticsCame):
            self._statistics.report(number, node, event.reports, event.at)
            self._do(self._run.statistics(number, event.reports, self._clock()))
            self._check_messages()
        elif isinstance(event, events.Violation):
            self._view.say(f"warning: {node} sent {event.text}")
        elif isinstance(event, events.Received) and event.command == "initialized":
            self._do(self._run.pod_ready(number))
            self._on_ready(node)
            self._count_ready(node)

    def _count_ready(self, node: str) -> None:
        """Begin to measure the duration once every node has started."""
        duration = self._limits.duration
        self._waited_for.discard(node)
        if duration is not None and not self._waited_for and not self._is_timed:
            self._is_timed = True
            self._loop.after(duration, self.drain, f"--duration {duration:g}")

    def _pod_ended(self, number: int, outcome: events.Outcome) -> None:
        node = self._nodes[number]
        self._statistics.gone(number)
        if isinstance(outcome, (events.Failed, events.Lost)) and not self._has_stopped:
            self._view.failed(node, outcome)
        self._do(self._run.pod_ended(number, outcome, self._clock()))

    def _take_output(self, node: str, message: Any) -> None:
        most = self._limits.messages
        if most is not None and self._messages >= most:
            return
        self._collected += 1
        self._view.message(node, message)
        self._check_messages()

    @property
    def _messages(self) -> int:
        """How many messages have left the last nodes."""
        return self._collected + sum(self._statistics.handled_by(name) for name in self._counted)

    def _check_messages(self) -> None:
        most = self._limits.messages
        if most is not None and self._messages >= most:
            self._stop(f"--messages {most}")

    def _do(self, actions: list[StreamAction]) -> None:
        for action in actions:
            match action:
                case StartPod():
                    self._nodes[action.pod] = action.node
                    self._pods.start(action.pod, action.node, action.batch_index)
                case StopPod():
                    self._has_stopped = self._has_stopped or action.force
                    self._pods.stop(action.pod, action.force)
                case KillPod():
                    self._pods.kill_pod(action.pod)
                case Discover():
                    self._pods.discover(action.pod, action.changes)
                case SayRemark():
                    self._view.say(action.text)
                case EndStream():
                    now = self._clock()
                    self._view.ended(action, list(self._statistics.states(now)), now)
                    self._outcome.set_result(action)

    def _on_internal_error(self, error: Exception) -> None:
        if not self._outcome.done():
            self._outcome.set_exception(error)
