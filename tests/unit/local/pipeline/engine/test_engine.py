"""The engine with scripted algorithms only; tests/e2e has the processes."""

from __future__ import annotations

import threading

import pytest

from wrapper.errors import WrapperError
from wrapper.local.pipeline import events
from wrapper.local.pipeline.catalog.algorithms import Algorithms
from wrapper.local.pipeline.catalog.resources import AtHand
from wrapper.local.pipeline.descriptor.descriptor import Node, Pipeline
from wrapper.local.pipeline.engine.engine import PipelineEngine
from wrapper.local.pipeline.engine.pool import Pool
from wrapper.local.pipeline.run.actions import PipelineFailed, Succeeded, TaskKey
from wrapper.local.worker.answers import AnswerTable, Failure, Result

ANSWERS = AnswerTable(
    algorithms={"good": Result(5), "bad": Failure("no"), "computed": lambda call: 7}
)


def at_hand() -> AtHand:
    return AtHand(Algorithms({}, "name some"), environ={}, answers=ANSWERS)


def pipeline(algorithm: str, ttl: float = 60) -> Pipeline:
    return Pipeline("p", (Node("n", algorithm),), ttl=ttl)  # type: ignore[arg-type]


def test_one_pipeline_after_the_other() -> None:
    heard: list[events.PipelineEvent] = []
    with PipelineEngine(at_hand(), heard.append, clock=lambda: 3.0) as engine:
        succeeded = engine.run(pipeline("good"))
        assert engine.run(pipeline("bad")) == PipelineFailed("no", TaskKey("n"))
    assert isinstance(succeeded, Succeeded)
    assert succeeded.results == [{"nodeName": "n", "algorithmName": "good", "result": 5}]
    assert {event.at for event in heard} == {3.0}
    assert [type(event) for event in heard].count(events.RunEnded) == 2


def test_an_algorithm_that_is_not_there_is_told_before_anything_runs() -> None:
    heard: list[events.PipelineEvent] = []
    with PipelineEngine(at_hand(), heard.append) as engine:
        with pytest.raises(WrapperError, match=r"nodes\[0\] 'n': there is no algorithm 'other'"):
            engine.run(pipeline("other"))
        with pytest.raises(WrapperError, match="there is no algorithm 'computed'"):
            engine.run(pipeline("computed"))  # a function answers calls, it is no node
    assert heard == []


def test_a_listener_that_fails_harms_no_run(caplog: pytest.LogCaptureFixture) -> None:
    def listener(event: events.PipelineEvent) -> None:
        raise ValueError("broken")

    with PipelineEngine(at_hand(), listener) as engine:
        assert isinstance(engine.run(pipeline("good")), Succeeded)
    assert "a listener of the pipelines failed" in caplog.text


def test_a_fault_of_its_own_hangs_nobody() -> None:
    with PipelineEngine(at_hand()) as engine, pytest.raises(TypeError):
        engine.run(pipeline("good", ttl="soon"))  # type: ignore[arg-type]


def test_an_engine_that_cannot_close_hangs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def close(pool: Pool) -> list[threading.Thread]:
        raise OSError("no more processes")

    monkeypatch.setattr(Pool, "close", close)
    with pytest.raises(OSError, match="no more processes"), PipelineEngine(at_hand()) as engine:
        assert isinstance(engine.run(pipeline("good")), Succeeded)


@pytest.mark.parametrize("ttl", [10**11, 10**400])
def test_a_pipeline_may_take_longer_than_any_thread_can_wait(ttl: int) -> None:
    with PipelineEngine(at_hand()) as engine:
        assert isinstance(engine.run(pipeline("good", ttl)), Succeeded)
