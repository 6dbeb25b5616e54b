"""An active run, with a pool whose processes only record what they are asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from wrapper.local.pipeline import events
from wrapper.local.pipeline.descriptor.parsing import parse_pipeline
from wrapper.local.pipeline.engine.active_run import ActiveRun, ActiveRuns
from wrapper.local.pipeline.engine.jobs import Place
from wrapper.local.pipeline.engine.loop import Loop
from wrapper.local.pipeline.engine.pool import Pool
from wrapper.local.pipeline.engine.process import TaskEnded
from wrapper.local.pipeline.run.actions import (
    PipelineFailed,
    PipelineStopped,
    RunOutcome,
    Succeeded,
    TaskKey,
)
from wrapper.local.worker import events as worker_events
from wrapper.local.worker.answers import Cancelled, Failure, Reply, Result


def node(name: str, *inputs: Any, **fields: Any) -> dict[str, Any]:
    return {"nodeName": name, "algorithmName": f"{name}-alg", "input": list(inputs), **fields}


class Process:
    """A process that records its jobs."""

    def __init__(self) -> None:
        self.jobs: list[Mapping[str, Any]] = []
        self.stops = 0

    def begin(self, job: Mapping[str, Any]) -> None:
        self.jobs.append(job)

    def stop(self) -> None:
        self.stops += 1

    def end(self) -> None: ...
    def kill(self) -> None: ...


class Bench:
    """A run whose loop is not started: the test's thread takes its place."""

    def __init__(
        self,
        *nodes: dict[str, Any],
        scripted: Mapping[str, Reply] | None = None,
        limit: int = 4,
        **fields: Any,
    ) -> None:
        self.now = 0.0
        self.events: list[events.PipelineEvent] = []
        self.outcomes: list[RunOutcome] = []
        self.processes: dict[int, Process] = {}
        self.loop = Loop(self._after_each, self._fail, clock=lambda: self.now)
        self.pool = Pool(self.loop, limit, self._open)
        self.runs = ActiveRuns(self.loop, self.pool, self._report, scripted or {})
        pipeline = parse_pipeline({"name": "p", "nodes": list(nodes), **fields}, "p")
        self.run = ActiveRun(pipeline, Place(), self.runs, self.outcomes.append)
        self.run.begin()
        self.pool.apply_schedule()

    def _after_each(self) -> None:
        self.pool.apply_schedule()

    def _fail(self, error: Exception) -> None:
        raise error

    def _open(self, number: int, algorithm: str) -> Process:
        self.processes[number] = Process()
        return self.processes[number]

    def _report(self, kind: type[events.PipelineEvent], run: events.Path, **facts: Any) -> None:
        self.events.append(kind(at=self.now, run=run, **facts))

    def end_task(self, number: int, outcome: worker_events.Outcome) -> None:
        job = self.processes[number].jobs[-1]
        self.pool.handle(number, TaskEnded(str(job["taskId"]), outcome))
        self.pool.apply_schedule()

    def pass_time(self, seconds: float = 0.0) -> None:
        """Move the clock, then make the calls that were posted or are due."""
        self.now += seconds
        self.loop.post(lambda: None)
        self.loop.start()
        self.loop.end()

    def event_names(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


def test_events_of_a_task_that_succeeds() -> None:
    bench = Bench(node("a"))
    (number,) = bench.processes
    bench.end_task(number, worker_events.Done(7))
    (outcome,) = bench.outcomes
    assert isinstance(outcome, Succeeded)
    assert outcome.results[0]["result"] == 7
    expected = "RunStarted TaskQueued TaskStarted TaskDone NodeEnded RunEnded"
    assert bench.event_names() == expected.split()
    assert bench.runs.tasks == {}


def test_stopping_a_run_stops_running_and_waiting_tasks() -> None:
    bench = Bench(node("a", "#[1,2]"), limit=1)
    (number,) = bench.processes
    bench.run.stop("enough")
    assert bench.outcomes == [PipelineStopped("enough")]
    assert bench.processes[number].stops == 1
    bench.end_task(number, worker_events.Stopped())
    stopped = [event for event in bench.events if isinstance(event, events.TaskStopped)]
    assert [(event.task.at, event.was_running) for event in stopped] == [
        ((2,), False),
        ((1,), True),
    ]
    assert bench.runs.tasks == {}


def test_failure_is_reported_with_a_hint() -> None:
    bench = Bench(node("a", 1))
    (number,) = bench.processes
    message, details = "KeyError: 'inputs' (main.py:2, in start)", "    return args['inputs']"
    bench.end_task(number, worker_events.Failed("AlgorithmError", message, details))
    (failed,) = [event for event in bench.events if isinstance(event, events.TaskFailed)]
    assert failed.hint == "args has no 'inputs'; did you mean 'input'?"


def test_unrequested_stop_counts_as_a_failure() -> None:
    bench = Bench(node("a"))
    (number,) = bench.processes
    bench.end_task(number, worker_events.Stopped())
    text = "it reported that it was stopped, but nobody stopped it"
    assert bench.outcomes == [PipelineFailed(text, TaskKey("a"))]


def test_task_that_exceeds_its_nodes_ttl_fails() -> None:
    bench = Bench(node("a", ttl=5))
    (number,) = bench.processes
    bench.pass_time(5.0)
    text = "it took longer than its node's ttl of 5 s"
    assert bench.outcomes == [PipelineFailed(text, TaskKey("a"))]
    assert bench.processes[number].stops == 1
    bench.end_task(number, worker_events.Stopped())
    assert bench.event_names()[-2:] == ["TaskFailed", "RunEnded"], "its later outcome is ignored"
    assert bench.runs.tasks == {}


def test_task_within_its_nodes_ttl_is_not_stopped() -> None:
    bench = Bench(node("a", ttl=5), node("b"))
    first, _ = bench.processes
    bench.end_task(first, worker_events.Done(1))
    bench.pass_time(5.0)
    assert bench.outcomes == []


def test_pipeline_that_exceeds_its_ttl_fails() -> None:
    bench = Bench(node("a"), options={"ttl": 9})
    (number,) = bench.processes
    bench.pass_time(9.0)
    assert bench.outcomes == [PipelineFailed("it took longer than its ttl of 9 s")]
    assert bench.processes[number].stops == 1


@pytest.mark.parametrize(
    "reply, text", [(Failure("not today"), "not today"), (Cancelled("by hand"), "by hand")]
)
def test_scripted_failure_fails_the_task(reply: Reply, text: str) -> None:
    bench = Bench(node("a"), scripted={"a-alg": reply})
    bench.pass_time()
    assert bench.outcomes == [PipelineFailed(text, TaskKey("a"))]
    assert bench.processes == {}


def test_scripted_result_needs_no_process() -> None:
    bench = Bench(node("a", "#[1,2]"), scripted={"a-alg": Result(5)})
    bench.pass_time()
    (outcome,) = bench.outcomes
    assert isinstance(outcome, Succeeded)
    assert [entry["result"] for entry in outcome.results] == [5, 5]
    assert bench.event_names().count("TaskStarted") == 2


def test_scripted_reply_is_ignored_after_the_run_has_ended() -> None:
    bench = Bench(node("a"), scripted={"a-alg": Result(5)})
    bench.run.stop("enough")
    bench.pass_time()
    assert bench.event_names()[-2:] == ["RunEnded", "TaskStopped"]
    assert bench.outcomes == [PipelineStopped("enough")]
