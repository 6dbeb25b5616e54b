"""A run of a streaming pipeline: discovery, restarts, scaling, and how it ends."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from wrapper.local.pipeline.streaming.actions import (
    Discover,
    EndStream,
    KillPod,
    StartPod,
    StopPod,
    StreamAction,
)
from wrapper.local.pipeline.streaming.stream_run import (
    DRAIN_TIMEOUT,
    RESTART_AFTER,
    RunNode,
    StreamRun,
)
from wrapper.local.worker import events

NODES = (
    RunNode("A", False, 1, 1, (), ("B",)),
    RunNode("B", True, 1, 3, ("A",), ("C",)),
    RunNode("C", False, 1, 1, ("B",), ()),
)
FAILED = events.Failed("", "no", "")


def begun(drains: bool = False) -> StreamRun:
    """A run whose pods, 1 to 3, are ready."""
    run = StreamRun(NODES, drains)
    assert run.begin() == [StartPod(1, "A"), StartPod(2, "B"), StartPod(3, "C")]
    for pod in (1, 2, 3):
        run.pod_ready(pod)
    return run


def test_a_child_learns_of_its_parents_once_both_are_ready() -> None:
    run = StreamRun(NODES)
    run.begin()
    assert run.pod_ready(2) == []
    assert run.pod_ready(1) == [Discover(2, ((1, True),))]
    assert run.pod_ready(3) == [Discover(3, ((2, True),))]


def test_a_failed_stateful_pod_is_replaced_and_its_children_learn_of_it() -> None:
    run = begun()
    assert run.pod_ended(1, FAILED, 10.0) == [Discover(2, ((1, False),))]
    assert run.tick(10.0) == []
    assert run.tick(10.0 + RESTART_AFTER) == [StartPod(4, "A")]
    assert run.pod_ready(4) == [Discover(2, ((4, True),))]


def test_a_node_that_fails_again_and_again_ends_the_run() -> None:
    run = begun()
    pod, now = 1, 10.0
    for _ in range(3):
        run.pod_ended(pod, FAILED, now)
        now += 8
        (start,) = run.tick(now)
        assert isinstance(start, StartPod)
        pod = start.pod
    assert run.pod_ended(pod, FAILED, now) == [StopPod(2, True), StopPod(3, True)]
    run.pod_ended(2, events.Stopped(), now)
    assert run.pod_ended(3, events.Stopped(), now) == [EndStream("A failed 4 times", True)]


def test_the_end_of_a_stateful_node_stops_all_others_at_once() -> None:
    run = begun()
    actions = run.pod_ended(3, events.Done(None), 1.0)
    assert actions == [StopPod(1, True), StopPod(2, True)]
    run.pod_ended(1, events.Stopped(), 1.0)
    end = run.pod_ended(2, events.Stopped(), 1.0)
    assert end[-1] == EndStream("C has ended", False)


def test_a_drain_goes_from_the_sources_on() -> None:
    run = begun()
    assert run.drain("Ctrl-C", 1.0) == [StopPod(1, False)]
    assert run.pod_ended(1, events.Stopped(), 2.0) == [
        Discover(2, ((1, False),)),
        StopPod(2, False),
    ]
    assert StopPod(3, False) in run.pod_ended(2, events.Stopped(), 3.0)
    assert run.pod_ended(3, events.Stopped(), 4.0) == [EndStream("Ctrl-C", False)]


def test_the_end_of_a_source_can_drain_the_others() -> None:
    run = begun(drains=True)
    assert run.pod_ended(1, events.Done(None), 1.0)[-1] == StopPod(2, False)


def test_a_pod_that_does_not_stop_is_killed() -> None:
    run = begun()
    run.drain("Ctrl-C", 1.0)
    assert KillPod(1) not in run.tick(DRAIN_TIMEOUT)
    assert KillPod(1) in run.tick(1.0 + DRAIN_TIMEOUT)
    assert KillPod(1) not in run.tick(2.0 + DRAIN_TIMEOUT)


def test_a_failure_while_draining_behind_the_drained_nodes_is_still_replaced() -> None:
    run = begun()
    run.drain("Ctrl-C", 1.0)
    run.pod_ended(3, FAILED, 2.0)
    assert run.tick(5.0) == [StartPod(4, "C")]


def test_a_stateless_node_grows_and_shrinks_with_its_queue() -> None:
    run = begun()
    busy = {"nodeName": "B", "queueSize": 90, "sent": 0, "durations": [100.0]}
    actions: list[StreamAction] = []
    for second in range(3):
        actions += run.statistics(1, [busy], float(second))
    assert actions == [StartPod(4, "B"), StartPod(5, "B")]
    for pod in (4, 5):
        run.pod_ready(pod)
    idle = {"nodeName": "B", "queueSize": 0, "sent": 90, "durations": [100.0]}
    actions = []
    for second in range(3, 30):
        actions += run.statistics(1, [idle], float(second))
    assert actions == [StopPod(4, False), StopPod(5, False)]


class Machine(RuleBasedStateMachine):
    """Whatever happens, a run that is to end ends, and no pod is started after its end."""

    def __init__(self) -> None:
        super().__init__()
        self.run = StreamRun(NODES)
        self.now = 0.0
        self.alive: dict[int, str] = {}
        self.ended = 0
        self.take(self.run.begin())

    def take(self, actions: list[StreamAction]) -> None:
        for action in actions:
            assert not self.ended, f"{action} after the end"
            if isinstance(action, StartPod):
                self.alive[action.pod] = action.node
            elif isinstance(action, EndStream):
                assert not self.alive
                self.ended += 1
            elif isinstance(action, (Discover, StopPod, KillPod)):
                assert action.pod in self.alive

    @rule(seconds=st.floats(0, 20))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.take(self.run.tick(self.now))

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def a_pod_is_ready(self, data: st.DataObject) -> None:
        self.take(self.run.pod_ready(data.draw(st.sampled_from(sorted(self.alive)))))

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def a_pod_ends(self, data: st.DataObject) -> None:
        pod = data.draw(st.sampled_from(sorted(self.alive)))
        outcomes: list[events.Outcome] = [
            FAILED,
            events.Lost("gone"),
            events.Stopped(),
            events.Done(None),
        ]
        outcome = data.draw(st.sampled_from(outcomes))
        del self.alive[pod]
        self.take(self.run.pod_ended(pod, outcome, self.now))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), queue=st.integers(0, 500), durations=st.lists(st.floats(0, 1000)))
    def a_pod_reports(self, data: st.DataObject, queue: int, durations: list[float]) -> None:
        pod = data.draw(st.sampled_from(sorted(self.alive)))
        report = {"nodeName": "B", "queueSize": queue, "sent": 0, "durations": durations}
        self.take(self.run.statistics(pod, [report], self.now))
        assert self.run.pod_counts["B"] <= 3 + list(self.alive.values()).count("B")

    @rule()
    def it_is_drained(self) -> None:
        self.take(self.run.drain("drain", self.now))

    @rule()
    def it_is_stopped(self) -> None:
        self.take(self.run.stop("stop", self.now))

    def teardown(self) -> None:
        self.take(self.run.stop("stop", self.now))
        while self.alive:
            pod, _ = self.alive.popitem()
            self.take(self.run.pod_ended(pod, events.Stopped(), self.now))
        assert self.ended == 1


TestRun = Machine.TestCase
