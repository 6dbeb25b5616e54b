"""The decisions of a pipeline run; the tests play the part of its driver."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from wrapper.local.pipeline.descriptor.parsing import parse_pipeline
from wrapper.local.pipeline.run.actions import (
    Action,
    EndRun,
    FailureKind,
    PipelineFailed,
    PipelineStopped,
    ReportNodeEnded,
    ReportNodeSkipped,
    ReportPathMissing,
    StartTask,
    StopTask,
    Succeeded,
    TaskKey,
)
from wrapper.local.pipeline.run.pipeline_run import PipelineRun


def node(name: str, *inputs: Any, **fields: Any) -> dict[str, Any]:
    return {"nodeName": name, "algorithmName": f"{name}-alg", "input": list(inputs), **fields}


class Driver:
    """Starts a run, and records its actions and the tasks that run."""

    def __init__(self, *nodes: dict[str, Any], **fields: Any) -> None:
        document = {"name": "simple", "nodes": list(nodes), **fields}
        self.count = len(nodes)
        self.run = PipelineRun(parse_pipeline(document, "p"))
        self.actions: list[Action] = []
        self.running: dict[str, StartTask] = {}
        self.take(self.run.begin())

    def take(self, actions: list[Action]) -> list[Action]:
        for action in actions:
            self.actions.append(action)
            if isinstance(action, StartTask):
                assert str(action.key) not in self.running, "started twice"
                self.running[str(action.key)] = action
            elif isinstance(action, StopTask):
                del self.running[str(action.key)]
        return actions

    def done(self, key: str, result: Any = None) -> list[Action]:
        return self.take(self.run.task_done(self.running.pop(key).key, result))

    def fail(
        self, key: str, text: str = "why", failure: FailureKind = FailureKind.ERROR
    ) -> list[Action]:
        return self.take(self.run.task_failed(self.running.pop(key).key, text, failure))

    def inputs(self) -> dict[str, list[Any]]:
        return {key: start.inputs for key, start in self.running.items()}

    def results(self) -> list[dict[str, Any]]:
        assert isinstance(self.run.outcome, Succeeded), self.run.outcome
        return self.run.outcome.results


def result(name: str, value: Any, **others: Any) -> dict[str, Any]:
    return {"nodeName": name, "algorithmName": f"{name}-alg", **others, "result": value}


def test_single_node() -> None:
    driver = Driver(node("green", 1, "@flowInput.x"), flowInput={"x": 2})
    assert driver.inputs() == {"green": [1, 2]}
    assert driver.done("green", 7) == [
        ReportNodeEnded("green"),
        EndRun(Succeeded([result("green", 7)])),
    ]


def test_nodes_run_in_sequence_and_in_parallel() -> None:
    driver = Driver(
        node("end", "@left.v", ["@right.1", "@right.9"]),
        node("left", "@start"),
        node("right", "@start.x.y"),
        node("start"),
    )
    assert driver.inputs() == {"start": []}
    driver.done("start", {"x": 3})
    assert driver.inputs() == {"left": [{"x": 3}], "right": [None]}
    driver.done("right", [4, 5])
    assert driver.inputs() == {"left": [{"x": 3}]}
    driver.done("left", {"v": 6})
    assert driver.inputs() == {"end": [6, [5, None]]}
    driver.done("end", None)
    assert driver.results() == [result("end", None)]


def test_results_are_of_unused_nodes_and_of_included_ones() -> None:
    driver = Driver(node("a", includeInResult=True), node("b", "@a"), node("c", "@a"))
    driver.done("a", 1)
    driver.done("c", 3)
    driver.done("b", 2)
    assert driver.results() == [result("a", 1), result("b", 2), result("c", 3)]


def test_batch_results_are_in_order() -> None:
    driver = Driver(node("a", "#[10,20,30]"), node("b", "@a", "@a.v"))
    assert driver.inputs() == {"a[1]": [10], "a[2]": [20], "a[3]": [30]}
    assert [start.batch_index for start in driver.running.values()] == [1, 2, 3]
    driver.done("a[3]", {"v": 3})
    driver.done("a[1]", {"v": 1})
    driver.done("a[2]", {})
    assert driver.inputs() == {"b": [[{"v": 1}, {}, {"v": 3}], [1, None, 3]]}


def test_batch_over_a_batch() -> None:
    driver = Driver(node("a", "#[1,2]"), node("b", "#@a.v"), node("c", "#@b"))
    driver.done("a[2]", {"v": "y"})
    driver.done("a[1]", {"v": "x"})
    assert driver.inputs() == {"b[1]": ["x"], "b[2]": ["y"]}
    driver.done("b[2]", 2)
    driver.done("b[1]", 1)
    assert driver.inputs() == {"c[1]": [1], "c[2]": [2]}
    driver.done("c[2]", "two")
    driver.done("c[1]", "one")
    assert driver.results() == [
        result("c", "one", batchIndex=1),
        result("c", "two", batchIndex=2),
    ]


def test_batch_over_a_single_result() -> None:
    driver = Driver(node("a"), node("b", "#@a.list"))
    driver.done("a", {"list": ["x", None]})
    assert driver.inputs() == {"b[1]": ["x"], "b[2]": [None]}


@pytest.mark.parametrize(
    "value, why",
    [([], "its batch is empty"), ({"k": 1}, "'#@a' is not an array"), (5, "not an array")],
)
def test_empty_batch_skips_its_node_and_batches_over_it(value: Any, why: str) -> None:
    driver = Driver(
        node("a"), node("b", "#@a"), node("c", "#@b"), node("d", "*@b"), node("e", "@b")
    )
    driver.done("a", value)
    skipped = {
        action.node: action.why for action in driver.actions if type(action) is ReportNodeSkipped
    }
    assert set(skipped) == {"b", "c", "d"}
    assert why in skipped["b"]
    assert driver.inputs() == {"e": [[]]}
    driver.done("e", 5)
    assert driver.results() == [result("c", []), result("d", []), result("e", 5)]


def missing_paths(driver: Driver) -> list[ReportPathMissing]:
    return [action for action in driver.actions if isinstance(action, ReportPathMissing)]


def test_path_that_leads_nowhere_is_reported_and_gives_null() -> None:
    driver = Driver(node("a"), node("b", "@a.scroes.0", {"x": "@a.scores.0"}))
    driver.done("a", {"scores": [4]})
    assert driver.inputs() == {"b": [None, {"x": 4}]}
    assert missing_paths(driver) == [
        ReportPathMissing("b", "@a.scroes.0", ": did you mean 'scores'?")
    ]


def test_path_that_holds_null_is_not_reported() -> None:
    driver = Driver(node("a"), node("b", "@a.x"))
    driver.done("a", {"x": None})
    assert driver.inputs() == {"b": [None]}
    assert missing_paths(driver) == []


@pytest.mark.parametrize("reference", ["@a.x", "#@a.x", "*@a.x", "*#@a.x"])
def test_path_that_some_tasks_of_a_batch_lack_is_reported_once(reference: str) -> None:
    driver = Driver(node("a", "#[1...3]"), node("b", reference))
    driver.done("a[1]", {"x": [1]})
    driver.done("a[2]", {"y": 1})
    driver.done("a[3]", 3)
    assert missing_paths(driver) == [ReportPathMissing("b", reference, "")]


def test_any_starts_with_each_parent_task() -> None:
    driver = Driver(node("a", "#[1,2]"), node("b", "*@a.v", 0), node("c", "*@b"), node("d", "@c"))
    driver.done("a[2]", {"v": "two"})
    assert driver.inputs() == {"a[1]": [1], "b[2]": ["two", 0]}
    assert driver.running["b[2]"].batch_index == 2
    driver.done("b[2]", "B2")
    assert driver.inputs() == {"a[1]": [1], "c[2]": ["B2"]}
    driver.done("c[2]", "C2")
    assert driver.inputs() == {"a[1]": [1]}, "d waits for every task of c, including later ones"
    driver.done("a[1]", {})
    driver.done("b[1]", "B1")
    driver.done("c[1]", "C1")
    assert driver.inputs() == {"d": [["C1", "C2"]]}


def test_any_of_a_single_task_waits_for_it() -> None:
    driver = Driver(node("a"), node("b", "*@a.x"), node("c", "*#@a.list"))
    driver.done("a", {"x": 5, "list": [6, 7]})
    assert driver.inputs() == {"b": [5], "c[1]": [6], "c[2]": [7]}
    driver.done("b", 1)
    driver.done("c[1]", 1)
    driver.done("c[2]", 1)
    assert driver.results()[0] == result("b", 1)


def test_any_of_two_batches_pairs_their_indices() -> None:
    driver = Driver(node("a", "#[1,2,3]"), node("b", "#[1,2]"), node("c", "*@a", "*@b"))
    driver.done("a[2]", "a2")
    driver.done("b[1]", "b1")
    driver.done("a[3]", "a3")
    assert [key for key in driver.running if key.startswith("c")] == []
    driver.done("b[2]", "b2")
    assert driver.inputs() == {"a[1]": [1], "c[2]": ["a2", "b2"], "c[3]": ["a3", None]}


def test_any_of_a_batch_and_a_single_task() -> None:
    driver = Driver(node("a", "#[1,2]"), node("b"), node("c", "*@a", "*@b.v"))
    driver.done("a[1]", "a1")
    assert set(driver.running) == {"a[2]", "b"}
    driver.done("b", {"v": "b"})
    assert driver.inputs() == {"a[2]": [2], "c[1]": ["a1", "b"]}
    driver.done("a[2]", "a2")
    assert driver.inputs() == {"c[1]": ["a1", "b"], "c[2]": ["a2", "b"]}


def test_any_also_waits_for_whole_nodes() -> None:
    driver = Driver(node("a", "#[1,2]"), node("w"), node("c", "*@a", "@w", "@a"))
    driver.done("a[1]", "a1")
    driver.done("w", "w")
    assert set(driver.running) == {"a[2]"}
    driver.done("a[2]", "a2")
    both = ["a1", "a2"]
    assert driver.inputs() == {"c[1]": ["a1", "w", both], "c[2]": ["a2", "w", both]}


def test_edge_waits_without_using_the_result() -> None:
    edges = [{"source": "a", "target": "b"}, {"source": "a", "target": "c"}]
    driver = Driver(node("a"), node("b", 1), node("c", "*@d"), node("d", "#[1,2]"), edges=edges)
    driver.done("d[1]", "d1")
    assert set(driver.running) == {"a", "d[2]"}
    driver.done("a")
    assert driver.inputs() == {"d[2]": [2], "b": [1], "c[1]": ["d1"]}


def test_batch_over_each_parent_task() -> None:
    driver = Driver(node("a", "#[1,2]"), node("b", "*#@a"))
    driver.done("a[2]", ["x", "y"])
    assert driver.inputs() == {"a[1]": [1], "b[2][1]": ["x"], "b[2][2]": ["y"]}
    driver.done("a[1]", ["w"])
    for key in ("b[2][2]", "b[1][1]", "b[2][1]"):
        driver.done(key, key)
    assert [entry["result"] for entry in driver.results()] == ["b[1][1]", "b[2][1]", "b[2][2]"]


def test_failed_task_fails_the_pipeline_and_stops_the_others() -> None:
    driver = Driver(node("a"), node("b"), node("c", "@a"))
    actions = driver.fail("a", "KeyError: 'x'")
    failed = PipelineFailed("KeyError: 'x'", TaskKey("a"))
    assert actions == [StopTask(TaskKey("b")), EndRun(failed)]
    assert driver.run.task_done(TaskKey("b"), 1) == []
    assert driver.run.task_failed(TaskKey("b"), "late", FailureKind.CRASH) == []
    assert driver.run.stop("late") == driver.run.expire() == []
    assert driver.run.outcome == failed


def test_batch_tolerates_failures_below_the_tolerance() -> None:
    driver = Driver(
        node("a", "#[1,2,3,4]", includeInResult=True),
        node("b", "@a"),
        node("c", "*@a"),
        options={"batchTolerance": 50},
    )
    driver.fail("a[2]", "E")
    assert driver.inputs()["c[2]"] == [None], "as in HKube"
    for number in (1, 3, 4):
        driver.done(f"a[{number}]", number)
    assert driver.inputs()["b"] == [[1, 3, 4]]
    for key in list(driver.running):
        driver.done(key)
    failed = {"nodeName": "a", "algorithmName": "a-alg", "batchIndex": 2, "error": "E"}
    assert driver.results()[1] == failed


def test_exceeded_tolerance_is_reported_as_in_hkube() -> None:
    driver = Driver(node("a", "#[1,2,3,4]"), options={"batchTolerance": 50})
    driver.fail("a[2]", "E")
    driver.fail("a[4]", "F")
    text = "2/4 (50%) failed tasks, batch tolerance is 50%, error: F"
    assert driver.run.outcome == PipelineFailed(text, TaskKey("a", (4,)))


@pytest.mark.parametrize(
    "tolerance, count, tolerated", [(0, 1000, 0), (80, 10, 7), (100, 3, 2), (34, 3, 1), (33, 3, 0)]
)
def test_number_of_tolerated_failures(tolerance: int, count: int, tolerated: int) -> None:
    driver = Driver(node("a", f"#[1...{count}]"), options={"batchTolerance": tolerance})
    for number in range(1, tolerated + 1):
        driver.fail(f"a[{number}]")
        assert driver.run.outcome is None
    driver.fail(f"a[{count}]")
    assert isinstance(driver.run.outcome, PipelineFailed)


@pytest.mark.parametrize(
    "policy, failure, is_retried",
    [
        ("OnCrash", FailureKind.CRASH, True),
        ("OnCrash", FailureKind.ERROR, False),
        ("OnError", FailureKind.ERROR, True),
        ("OnError", FailureKind.CRASH, False),
        ("Always", FailureKind.ERROR, True),
        ("Always", FailureKind.CRASH, True),
        ("Always", FailureKind.EXPIRED, False),
        ("Never", FailureKind.CRASH, False),
    ],
)
def test_retry_policies(policy: str, failure: FailureKind, is_retried: bool) -> None:
    driver = Driver(node("a", 7, retry={"policy": policy, "limit": 2}))
    if is_retried:
        for attempts in (1, 2):
            (start,) = driver.fail("a", failure=failure)
            assert isinstance(start, StartTask)
            assert (start.inputs, start.attempts) == ([7], attempts)
    assert driver.fail("a", "last", failure) == [EndRun(PipelineFailed("last", TaskKey("a")))]


def test_stop_and_expiry() -> None:
    stopped = Driver(node("a"))
    assert stopped.take(stopped.run.stop("enough")) == [
        StopTask(TaskKey("a")),
        EndRun(PipelineStopped("enough")),
    ]
    expired = Driver(node("a"), options={"ttl": 5})
    expired.take(expired.run.expire())
    assert expired.run.outcome == PipelineFailed("it took longer than its ttl of 5 s")


def test_node_with_too_many_tasks_fails_the_pipeline() -> None:
    driver = Driver(
        node("b"),
        node("a", "#[1...100000]", "#[1...2]", batchOperation="cartesian"),
    )
    assert isinstance(driver.run.outcome, PipelineFailed)
    assert driver.run.outcome.text.startswith("node 'a': the batch would have 200,000 tasks")
    assert driver.running == {}


def test_long_pipeline_of_skipped_nodes() -> None:
    nodes = [node(f"n{i}", f"#@n{i - 1}" if i else "#[]") for i in range(3000)]
    assert Driver(*nodes).results() == [result("n2999", [])]


REFERENCES = ("@{}", "#@{}", "*@{}", "*#@{}", "@{}.v", "#@{}.list", "*#@{}.list")


@st.composite
def pipelines(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Nodes that refer to earlier nodes in every way, in any order."""
    nodes = []
    for number in range(draw(st.integers(1, 5))):
        inputs: list[Any] = [draw(st.sampled_from([1, "#[1,2,3]", "#[]", "#[1]"]))]
        for _ in range(draw(st.integers(0, 2)) if number else 0):
            parent = draw(st.integers(0, number - 1))
            inputs.append(draw(st.sampled_from(REFERENCES)).format(f"n{parent}"))
        retry = {"policy": draw(st.sampled_from(["Never", "Always"])), "limit": 1}
        operation = draw(st.sampled_from(["indexed", "cartesian"]))
        nodes.append(node(f"n{number}", *inputs, retry=retry, batchOperation=operation))
    return draw(st.permutations(nodes))


def computed(start: StartTask) -> Any:
    """The result of a task: of any shape, but always the same for the same task."""
    size = sum(len(str(value)) for value in start.inputs)
    shapes: list[Any] = [size, [size] * (size % 3), {"v": size, "list": [size, None]}, None]
    return shapes[(size + len(start.node.name + str(start.key))) % 4]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(nodes=pipelines(), first=st.randoms(use_true_random=False), seed=st.integers())
def test_results_do_not_depend_on_the_order_in_which_tasks_end(
    nodes: list[dict[str, Any]], first: random.Random, seed: int
) -> None:
    results = []
    for order in (first, random.Random(seed)):
        driver = Driver(*nodes)
        for _ in range(2000):
            if driver.run.outcome is not None:
                break
            key = order.choice(sorted(driver.running))
            driver.done(key, computed(driver.running[key]))
        results.append(driver.results())
    assert results[0] == results[1]


class RandomRuns(RuleBasedStateMachine):
    """Random runs of random pipelines: tasks end in any way and order, and runs stop or expire."""

    driver: Driver

    @initialize(nodes=pipelines(), tolerance=st.sampled_from([0, 50, 80, 100]))
    def begin(self, nodes: list[dict[str, Any]], tolerance: int) -> None:
        self.driver = Driver(*nodes, options={"batchTolerance": tolerance})

    @precondition(lambda self: self.driver.running)
    @rule(data=st.data())
    def task_done(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.driver.running)))
        self.driver.done(key, computed(self.driver.running[key]))

    @precondition(lambda self: self.driver.running)
    @rule(data=st.data(), failure=st.sampled_from(FailureKind))
    def task_failed(self, data: st.DataObject, failure: FailureKind) -> None:
        key = data.draw(st.sampled_from(sorted(self.driver.running)))
        self.driver.fail(key, "E", failure)

    @rule(word=st.sampled_from(["stop", "expire"]), really=st.sampled_from([False] * 9 + [True]))
    def stop_or_expire(self, word: str, really: bool) -> None:
        if really:
            run = self.driver.run
            self.driver.take(run.stop("enough") if word == "stop" else run.expire())

    @rule()
    def ended_task_reports_again(self) -> None:
        starts = (action for action in self.driver.actions if isinstance(action, StartTask))
        ended = [start.key for start in starts if str(start.key) not in self.driver.running]
        for key in ended:
            assert self.driver.run.task_done(key, "again") == []
            assert self.driver.run.task_failed(key, "again", FailureKind.CRASH) == []

    @invariant()
    def run_is_active_or_has_ended(self) -> None:
        ends = [action for action in self.driver.actions if isinstance(action, EndRun)]
        assert bool(self.driver.running) == (self.driver.run.outcome is None)
        assert [end.outcome for end in ends] == [self.driver.run.outcome] * len(ends)
        assert len(ends) == (self.driver.run.outcome is not None)
        assert not ends or self.driver.actions[-1] is ends[0], "an action after the end"

    @invariant()
    def tasks_start_no_more_often_than_their_retries(self) -> None:
        attempts: dict[TaskKey, list[int]] = {}
        for action in self.driver.actions:
            if isinstance(action, StartTask):
                attempts.setdefault(action.key, []).append(action.attempts)
        for key, numbers in attempts.items():
            assert numbers == list(range(len(numbers))), key
            assert len(numbers) <= 2, key

    @invariant()
    def nodes_end_once_and_after_their_final_task(self) -> None:
        reported = [
            action.node
            for action in self.driver.actions
            if isinstance(action, (ReportNodeEnded, ReportNodeSkipped))
        ]
        assert len(reported) == len(set(reported))
        assert not {start.node.name for start in self.driver.running.values()} & set(reported)
        if isinstance(self.driver.run.outcome, Succeeded):
            assert len(reported) == self.driver.count

    @invariant()
    def nodes_start_after_their_parents(self) -> None:
        position: dict[str, int] = {}
        for at, action in enumerate(self.driver.actions):
            if isinstance(action, StartTask):
                position.setdefault(action.node.name, at)
                for parent in action.node.parents:
                    skipped = any(
                        isinstance(before, ReportNodeSkipped) and before.node == parent
                        for before in self.driver.actions[:at]
                    )
                    assert skipped or position.get(parent, at) < at


TestRandomRuns = RandomRuns.TestCase
TestRandomRuns.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.parametrize("sign", ["*@", "#@"])
def test_tasks_of_a_batch_share_common_inputs(sign: str) -> None:
    """Otherwise a batch of 10,000 tasks that get another batch's results would need a gigabyte."""
    driver = Driver(
        node("green", "#[1,2]"), node("yellow", "#[1,2]"), node("black", f"{sign}green", "@yellow")
    )
    for key in ("yellow[1]", "yellow[2]", "green[1]", "green[2]"):
        driver.done(key, key)
    first, second = (driver.inputs()[f"black[{number}]"] for number in (1, 2))
    assert first == ["green[1]", ["yellow[1]", "yellow[2]"]]
    assert first[1] is second[1]
