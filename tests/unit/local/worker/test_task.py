"""A task's calls that are answered later: their replies, and their end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from wrapper.local.worker import events
from wrapper.local.worker.answers import (
    Answer,
    AnswerTable,
    Call,
    Cancelled,
    Failure,
    Later,
    Reply,
    Result,
)
from wrapper.local.worker.job import make_job
from wrapper.local.worker.worker import LocalWorker

LIMIT = 10.0
PIPELINE = {"subPipelineId": "1", "subPipeline": {"name": "p"}, "includeResult": True}
EXECUTION = {"execId": "1", "algorithmName": "a", "input": [4], "includeResult": True}


class Started:
    """Answers that the test gives when it wants to."""

    def __init__(self) -> None:
        self.replies: dict[str, Callable[[Reply], None]] = {}
        self.cancelled: list[str] = []
        self._changed = threading.Condition()

    def find(self, call: Call) -> Answer:
        return Later(self._start)

    def _start(self, call: Call, reply: Callable[[Reply], None]) -> Callable[[str], None]:
        with self._changed:
            self.replies[call.name] = reply
            self._changed.notify_all()
        return self._cancel

    def _cancel(self, reason: str) -> None:
        with self._changed:
            self.cancelled.append(reason)
            self._changed.notify_all()

    def reply(self, name: str, reply: Reply) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: name in self.replies, LIMIT)
        self.replies[name](reply)

    def wait_cancelled(self) -> list[str]:
        with self._changed:
            assert self._changed.wait_for(lambda: self.cancelled, LIMIT)
        return self.cancelled


@pytest.fixture
def started() -> Started:
    return Started()


@pytest.fixture
def worker(started: Started) -> Iterator[LocalWorker]:
    with LocalWorker(answers=started) as worker:
        yield worker


@contextmanager
def algorithm(worker: LocalWorker) -> Iterator[ClientConnection]:
    """Return an algorithm whose task has started."""
    with connect(f"ws://127.0.0.1:{worker.port}/", max_size=None) as connection:
        expect(connection, "initialize")
        send(connection, "initialized")
        expect(connection, "start")
        yield connection


def send(connection: ClientConnection, command: str, data: Any = None, **others: Any) -> None:
    connection.send(json.dumps({"command": command, "data": data, **others}))


def expect(connection: ClientConnection, command: str) -> Any:
    message = json.loads(connection.recv(LIMIT))
    assert message["command"] == command
    return message["data"]


def test_sub_pipeline_starts_before_it_is_done(worker: LocalWorker, started: Started) -> None:
    worker.begin(make_job([], "alg"))
    with algorithm(worker) as connection:
        send(connection, "startRawSubPipeline", PIPELINE)
        assert expect(connection, "subPipelineStarted") == {"subPipelineId": "1"}
        started.reply("p", Result([5]))
        assert expect(connection, "subPipelineDone") == {"subPipelineId": "1", "response": [5]}
    assert started.cancelled == []


def test_algorithm_started_by_a_call(worker: LocalWorker, started: Started) -> None:
    worker.begin(make_job([], "alg"))
    with algorithm(worker) as connection:
        send(connection, "startAlgorithmExecution", EXECUTION)
        started.reply("a", Result(7))
        assert expect(connection, "algorithmExecutionDone") == {"execId": "1", "response": 7}


@pytest.mark.parametrize(
    "begin, data, end, key",
    [
        ("startStoredSubPipeline", PIPELINE, "stopSubPipeline", "subPipelineId"),
        ("startAlgorithmExecution", EXECUTION, "stopAlgorithmExecution", "execId"),
    ],
)
def test_algorithm_can_stop_its_calls(
    worker: LocalWorker, started: Started, begin: str, data: Any, end: str, key: str
) -> None:
    outcome = worker.begin(make_job([], "alg"))
    with algorithm(worker) as connection:
        send(connection, begin, data)
        send(connection, end, {key: "1", "reason": "enough"})
        assert started.wait_cancelled() == ["stopped by algorithm: enough"]
        started.reply(str(data.get("algorithmName", "p")), Result("late"))
        send(connection, "done", "result")
        assert outcome.result(LIMIT) == events.Done("result")
        connection.close()
        rest = [json.loads(frame)["command"] for frame in connection]
    assert set(rest) <= {"subPipelineStarted"}


@pytest.mark.parametrize(
    "command, message, reason",
    [
        ("done", {}, "parent algorithm ended"),
        ("errorMessage", {"error": {"message": "E"}}, "parent algorithm failed: E"),
        ("stopped", {}, "parent algorithm stopped"),
    ],
)
def test_calls_end_with_their_task(
    worker: LocalWorker, started: Started, command: str, message: dict[str, Any], reason: str
) -> None:
    outcome = worker.begin(make_job([], "alg"))
    with algorithm(worker) as connection:
        send(connection, "startAlgorithmExecution", EXECUTION)
        send(connection, command, **message)
        outcome.result(LIMIT)
    assert started.cancelled == [reason]


def test_calls_end_with_a_lost_task(worker: LocalWorker, started: Started) -> None:
    outcome = worker.begin(make_job([], "alg"))
    with algorithm(worker) as connection:
        send(connection, "startAlgorithmExecution", EXECUTION)
    assert isinstance(outcome.result(LIMIT), events.Lost)
    assert started.cancelled == ["parent algorithm ended"]


def _leave(call: Call) -> Any:
    raise SystemExit(f"no more of {call.name}")


@pytest.mark.parametrize(
    "answer, command, ending",
    [
        (_leave, "subPipelineError", {"error": "SystemExit: no more of p"}),
        (lambda call: Failure("no"), "subPipelineError", {"error": "no"}),
        (lambda call: Cancelled("enough"), "subPipelineStopped", {"reason": "enough"}),
        (lambda call: Result(call.name), "subPipelineDone", {"response": "p"}),
    ],
)
def test_call_is_answered_whatever_the_function_does(
    answer: Answer, command: str, ending: dict[str, Any]
) -> None:
    with LocalWorker(answers=AnswerTable(pipelines={"p": answer})) as worker:
        worker.begin(make_job([], "alg"))
        with algorithm(worker) as connection:
            send(connection, "startRawSubPipeline", PIPELINE)
            assert expect(connection, command) == {"subPipelineId": "1", **ending}


@pytest.mark.parametrize("answer", [Result(b"bytes"), lambda call: b"bytes"])
def test_unsendable_answer_fails_the_call(answer: Answer) -> None:
    reported: list[events.WorkerEvent] = []
    with LocalWorker(reported.append, AnswerTable(algorithms={"a": answer})) as worker:
        worker.begin(make_job([], "alg"))
        with algorithm(worker) as connection:
            send(connection, "startAlgorithmExecution", EXECUTION)
            error = expect(connection, "algorithmExecutionError")["error"]
            send(connection, "done", "result")
            assert worker.wait_idle(LIMIT)
    assert error.startswith("the answer cannot be sent as JSON: ")
    assert "bytes" in error
    replies = [event.reply for event in reported if isinstance(event, events.CallAnswered)]
    assert replies == [Failure(error)]


def test_unsendable_late_answer_fails_the_call(worker: LocalWorker, started: Started) -> None:
    worker.begin(make_job([], "alg"))
    with algorithm(worker) as connection:
        send(connection, "startAlgorithmExecution", EXECUTION)
        started.reply("a", Result(b"bytes"))
        assert "cannot be sent" in expect(connection, "algorithmExecutionError")["error"]


def test_unsendable_job_fails_the_task(worker: LocalWorker) -> None:
    outcome = worker.begin(make_job([b"bytes"], "alg"))
    with connect(f"ws://127.0.0.1:{worker.port}/"):
        failed = outcome.result(LIMIT)
    assert isinstance(failed, events.Failed)
    assert failed.code == "EncodingError"
    assert failed.message.startswith("the job cannot be sent as JSON: ")
    assert "bytes" in failed.message
