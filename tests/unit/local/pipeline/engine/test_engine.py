"""The engine with scripted algorithms only; tests/e2e covers real processes."""

from __future__ import annotations

import threading

import pytest

from wrapper.errors import WrapperError
from wrapper.local.pipeline import events
from wrapper.local.pipeline.catalog.algorithms import Algorithms
from wrapper.local.pipeline.catalog.resources import Resources
from wrapper.local.pipeline.descriptor.descriptor import Node, Pipeline
from wrapper.local.pipeline.engine.engine import PipelineEngine
from wrapper.local.pipeline.engine.pool import Pool
from wrapper.local.pipeline.run.actions import PipelineFailed, Succeeded, TaskKey
from wrapper.local.worker.answers import AnswerTable, Failure, Result

ANSWERS = AnswerTable(
    algorithms={"good": Result(5), "bad": Failure("no"), "computed": lambda call: 7}
)


def resources() -> Resources:
    return Resources(Algorithms({}, "name some"), environ={}, answers=ANSWERS)


def pipeline(algorithm: str, ttl: float = 60) -> Pipeline:
    return Pipeline("p", (Node("n", algorithm),), ttl=ttl)  # type: ignore[arg-type]


def test_engine_runs_pipelines_one_after_another() -> None:
    received: list[events.PipelineEvent] = []
    with PipelineEngine(resources(), received.append, clock=lambda: 3.0) as engine:
        succeeded = engine.run(pipeline("good"))
        assert engine.run(pipeline("bad")) == PipelineFailed("no", TaskKey("n"))
    assert isinstance(succeeded, Succeeded)
    assert succeeded.results == [{"nodeName": "n", "algorithmName": "good", "result": 5}]
    assert {event.at for event in received} == {3.0}
    assert [type(event) for event in received].count(events.RunEnded) == 2


def test_missing_algorithm_is_reported_before_anything_runs() -> None:
    received: list[events.PipelineEvent] = []
    with PipelineEngine(resources(), received.append) as engine:
        with pytest.raises(WrapperError, match=r"nodes\[0\] 'n': there is no algorithm 'other'"):
            engine.run(pipeline("other"))
        with pytest.raises(WrapperError, match="there is no algorithm 'computed'"):
            engine.run(pipeline("computed"))  # a function answers calls, but cannot be a node
    assert received == []


def test_failing_listener_does_not_harm_a_run(caplog: pytest.LogCaptureFixture) -> None:
    def listener(event: events.PipelineEvent) -> None:
        raise ValueError("broken")

    with PipelineEngine(resources(), listener) as engine:
        assert isinstance(engine.run(pipeline("good")), Succeeded)
    assert "a pipeline event listener failed" in caplog.text


def test_internal_error_ends_the_wait_for_the_outcome() -> None:
    with PipelineEngine(resources()) as engine, pytest.raises(TypeError):
        engine.run(pipeline("good", ttl="soon"))  # type: ignore[arg-type]


def test_engine_that_cannot_close_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def close(pool: Pool) -> list[threading.Thread]:
        raise OSError("no more processes")

    monkeypatch.setattr(Pool, "close", close)
    with pytest.raises(OSError, match="no more processes"), PipelineEngine(resources()) as engine:
        assert isinstance(engine.run(pipeline("good")), Succeeded)


@pytest.mark.parametrize("ttl", [10**11, 10**400])
def test_ttl_may_exceed_the_longest_possible_wait(ttl: int) -> None:
    with PipelineEngine(resources()) as engine:
        assert isinstance(engine.run(pipeline("good", ttl)), Succeeded)
