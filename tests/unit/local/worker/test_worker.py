"""The local worker, tested by a hand-written algorithm over a real WebSocket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgpack
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from wrapper.local.worker import events
from wrapper.local.worker.answers import AnswerTable, Call, Cancelled, Failure, Result
from wrapper.local.worker.connection import AlgorithmConnection
from wrapper.local.worker.job import make_job
from wrapper.local.worker.storage import LocalStorage
from wrapper.local.worker.task import LocalTask
from wrapper.local.worker.worker import LocalWorker

LIMIT = 10.0
JOB = make_job([5, {"a": 1}], algorithm_name="alg")


class Recorder:
    """A listener that records events, and can wait for one."""

    def __init__(self) -> None:
        self.events: list[events.WorkerEvent] = []
        self._changed = threading.Condition()

    def __call__(self, event: events.WorkerEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, kind: type[events.WorkerEvent]) -> events.WorkerEvent:
        with self._changed:
            assert self._changed.wait_for(lambda: self.of(kind), LIMIT), kind
            return self.of(kind)[-1]

    def of(self, kind: type[events.WorkerEvent]) -> list[events.WorkerEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def names(self) -> list[str]:
        return [getattr(event, "command", type(event).__name__) for event in self.events]


class Algorithm:
    """The algorithm's side of the WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, command: str, data: Any = None, **others: Any) -> None:
        self.connection.send(json.dumps({"command": command, "data": data, **others}))

    def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(LIMIT))
        return message

    def expect(self, command: str) -> Any:
        message = self.receive()
        assert message["command"] == command
        return message["data"]

    def reach_started(self) -> None:
        self.expect("initialize")
        self.send("initialized")
        self.expect("start")
        self.send("started")


@contextmanager
def connected(worker: LocalWorker, query: str = "?storage=v1&encoding=json") -> Iterator[Algorithm]:
    url = f"ws://127.0.0.1:{worker.port}/{query}"
    with connect(url, max_size=None, compression=None) as connection:
        yield Algorithm(connection)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def worker(recorder: Recorder) -> Iterator[LocalWorker]:
    with LocalWorker(recorder, clock=lambda: 7.0) as worker:
        yield worker


def ended(outcome: Future[events.Outcome]) -> events.Outcome:
    return outcome.result(timeout=LIMIT)


def test_task_from_initialize_to_done(worker: LocalWorker, recorder: Recorder) -> None:
    with connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        assert algorithm.expect("initialize") == JOB
        algorithm.send("initialized")
        assert algorithm.expect("start") == {"spanId": JOB["spanId"]}
        algorithm.send("started")
        algorithm.send("alive")
        algorithm.send("done", {"x": [0, "", False]})
        assert ended(outcome) == events.Done({"x": [0, "", False]})
    recorder.wait_for(events.Disconnected)
    expected = "Connected initialize initialized start started alive TaskCompleted Disconnected"
    assert [name for name in recorder.names() if name != "MessageReceived"] == expected.split()
    whole = [
        event.message for event in recorder.events if isinstance(event, events.MessageReceived)
    ]
    assert [message["command"] for message in whole] == ["initialized", "started", "alive", "done"]
    assert whole[-1]["data"] == {"x": [0, "", False]}
    assert {event.at for event in recorder.events} == {7.0}
    assert recorder.of(events.TaskCompleted) == [
        events.TaskCompleted(
            at=7.0, task_id=JOB["taskId"], outcome=events.Done({"x": [0, "", False]})
        )
    ]


def test_early_task_is_sent_on_connection(worker: LocalWorker) -> None:
    outcome = worker.begin(JOB)
    with connected(worker, query="") as algorithm:
        algorithm.reach_started()
        algorithm.send("done")
        assert ended(outcome) == events.Done(None)


def test_several_tasks_on_one_connection(worker: LocalWorker) -> None:
    with connected(worker) as algorithm:
        for number in range(50):
            outcome = worker.begin(JOB)
            algorithm.reach_started()
            algorithm.send("done", number)
            assert ended(outcome) == events.Done(number)


def test_second_task_is_rejected_while_the_first_runs(worker: LocalWorker) -> None:
    worker.begin(JOB)
    with pytest.raises(RuntimeError, match="a task is running"):
        worker.begin(JOB)


def test_run_times_out(worker: LocalWorker) -> None:
    with pytest.raises(TimeoutError, match=r"after 0\.01 s"):
        worker.run(JOB, timeout=0.01)


@pytest.mark.parametrize(
    ("error", "failed"),
    [
        (
            {"code": "C", "message": "M", "details": "D"},
            events.Failed("C", "M", "D"),
        ),
        ({"code": "C"}, events.Failed("C", "unknown error", "")),
        (None, events.Failed("", "unknown error", "")),
        ("text", events.Failed("", "text", "")),
    ],
)
def test_error_message_fails_the_task(
    worker: LocalWorker, error: Any, failed: events.Failed
) -> None:
    with connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.expect("initialize")
        algorithm.send("errorMessage", error=error)
        assert ended(outcome) == failed


def test_only_stopped_ends_a_stop(worker: LocalWorker, recorder: Recorder) -> None:
    with connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.reach_started()
        worker.stop(force=False)
        assert algorithm.expect("stop") == {"forceStop": False}
        algorithm.send("done", 1)
        algorithm.send("stopping")
        algorithm.send("stopped")
        assert ended(outcome) == events.Stopped()
    assert not recorder.of(events.Violation)


def test_stop_before_the_connection(worker: LocalWorker) -> None:
    outcome = worker.begin(JOB)
    worker.stop()
    assert ended(outcome) == events.Stopped()


def test_idle_algorithm_receives_stop(worker: LocalWorker, recorder: Recorder) -> None:
    with connected(worker) as algorithm:
        recorder.wait_for(events.Connected)
        worker.stop()
        assert algorithm.expect("stop") == {"forceStop": True}
        algorithm.send("stopped")
        recorder.wait_for(events.Received)
    assert not recorder.of(events.Violation)


def test_exit_sends_its_code(worker: LocalWorker, recorder: Recorder) -> None:
    with connected(worker) as algorithm:
        recorder.wait_for(events.Connected)
        worker.exit(3)
        assert algorithm.expect("exit") == {"exitCode": 3}


def test_exit_before_the_connection(worker: LocalWorker) -> None:
    worker.exit(3)
    with connected(worker) as algorithm:
        assert algorithm.expect("exit") == {"exitCode": 3}


def test_early_exit_follows_the_early_task(worker: LocalWorker) -> None:
    worker.begin(JOB)
    worker.exit()
    with connected(worker) as algorithm:
        algorithm.expect("initialize")
        assert algorithm.expect("exit") == {"exitCode": 0}


def test_lost_connection_loses_the_task(worker: LocalWorker) -> None:
    with connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.reach_started()
    lost = ended(outcome)
    assert isinstance(lost, events.Lost)
    assert "connection was lost" in lost.reason


def test_lost_connection_between_tasks_loses_nothing(
    worker: LocalWorker, recorder: Recorder
) -> None:
    with connected(worker):
        recorder.wait_for(events.Connected)
    recorder.wait_for(events.Disconnected)
    with connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.reach_started()
        algorithm.send("done")
        assert ended(outcome) == events.Done(None)


def test_lost_connection_while_a_task_begins_loses_it(
    worker: LocalWorker, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_on = LocalTask.connected
    with connected(worker) as algorithm:
        recorder.wait_for(events.Connected)

        def lose_it_first(task: LocalTask, link: AlgorithmConnection) -> None:
            algorithm.connection.close()
            recorder.wait_for(events.Disconnected)
            begin_on(task, link)

        monkeypatch.setattr(LocalTask, "connected", lose_it_first)
        assert isinstance(ended(worker.begin(make_job([], "alg"))), events.Lost)


def test_algorithm_may_connect_again_once_it_is_gone(
    worker: LocalWorker, recorder: Recorder
) -> None:
    with connected(worker):
        recorder.wait_for(events.Connected)
    recorder.wait_for(events.Disconnected)
    with connected(worker) as second:
        outcome = worker.begin(JOB)
        second.reach_started()
        second.send("done")
        assert ended(outcome) == events.Done(None)


def test_tasks_are_lost_after_give_up(worker: LocalWorker) -> None:
    before = worker.begin(JOB)
    worker.give_up("exit code 7")
    assert ended(before) == events.Lost("exit code 7")
    assert ended(worker.begin(JOB)) == events.Lost("exit code 7")


def test_closing_the_worker_ends_task_and_connection() -> None:
    with LocalWorker() as worker:
        outcome = worker.begin(JOB)
        with connect(f"ws://127.0.0.1:{worker.port}/") as connection:
            connection.recv(LIMIT)
            worker.__exit__()
            with pytest.raises(ConnectionClosed):
                connection.recv(LIMIT)
    assert isinstance(ended(outcome), events.Lost)


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def test_algorithm_may_connect_before_there_is_a_worker() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port), LIMIT) as early:
        early.sendall(HANDSHAKE % port)
        with LocalWorker(listening=listening) as worker:
            assert worker.port == port
            assert early.recv(1000).startswith(b"HTTP/1.1 101 ")
    assert listening.fileno() < 0


@pytest.mark.parametrize("frame", ['{"command":"done","data":NaN}', "nonsense", b"\xff\xfe"])
def test_frame_that_would_crash_the_worker(
    worker: LocalWorker, recorder: Recorder, frame: str | bytes
) -> None:
    with connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.reach_started()
        algorithm.connection.send(frame)
        lost = ended(outcome)
    assert isinstance(lost, events.Lost)
    assert "would crash HKube's worker" in lost.reason
    assert recorder.of(events.Violation)


@pytest.mark.parametrize(
    ("command", "data", "text"),
    [
        ("finishSpan", None, "'finishSpan' without data"),
        ("startSpan", 3, "'startSpan' without data"),
        ("dance", None, "'dance', which is not a command"),
    ],
)
def test_protocol_violation_is_reported(
    worker: LocalWorker, recorder: Recorder, command: str, data: Any, text: str
) -> None:
    with connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.reach_started()
        algorithm.send(command, data)
        algorithm.send("done")
        assert ended(outcome) == events.Done(None)
    assert recorder.of(events.Violation) == [
        events.Violation(at=7.0, task_id=JOB["taskId"], text=text)
    ]


def test_late_message_of_an_ending_algorithm_is_not_a_violation(
    worker: LocalWorker, recorder: Recorder
) -> None:
    with connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.expect("initialize")
        worker.give_up("Ctrl-C")
        assert ended(outcome) == events.Lost("Ctrl-C")
        algorithm.send("initialized")
        recorder.wait_for(events.Received)
    assert recorder.of(events.Violation) == []


@pytest.mark.parametrize("frame", ["[]", "{}", '{"command": 5}', '"text"'])
def test_message_without_a_command_is_reported(
    worker: LocalWorker, recorder: Recorder, frame: str
) -> None:
    with connected(worker) as algorithm:
        algorithm.connection.send(frame)
        violation = recorder.wait_for(events.Violation)
    assert violation == events.Violation(at=7.0, task_id=None, text="a message without a command")


def test_alive_after_done_is_reported(worker: LocalWorker, recorder: Recorder) -> None:
    with connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.reach_started()
        algorithm.send("done")
        assert ended(outcome) == events.Done(None)
        algorithm.send("alive")
        violation = recorder.wait_for(events.Violation)
    assert violation == events.Violation(at=7.0, task_id=None, text="'alive' with no task running")


def test_result_over_100_mb_is_lost(worker: LocalWorker) -> None:
    with connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.reach_started()
        with suppress(ConnectionClosed):  # the worker closes before it has read everything
            algorithm.send("done", "x" * 100_000_000)
        assert ended(outcome) == events.Lost(
            "its message is larger than 100,000,000 bytes, which HKube's worker refuses"
        )


@pytest.mark.parametrize("query", ["?storage=v3", "?encoding=xml"])
def test_unsupported_url_is_refused(worker: LocalWorker, query: str) -> None:
    with connected(worker, query) as algorithm, pytest.raises(ConnectionClosed) as closed:
        algorithm.receive()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_inputs_and_results_go_through_the_storage(tmp_path: Path, recorder: Recorder) -> None:
    storage = LocalStorage(tmp_path)
    with (
        LocalWorker(recorder, storage=storage) as worker,
        connected(worker, "?storage=v3") as algorithm,
    ):
        outcome = worker.begin(JOB)
        job = algorithm.expect("initialize")
        assert list(job["flatInput"].values()) == job["input"]
        algorithm.send("initialized")
        algorithm.expect("start")
        info = job["storage"][job["input"][0].removeprefix("$$")]["storageInfo"]
        algorithm.send("storing", {"storageInfo": info, "metadata": {}})
        algorithm.send("done")
        assert ended(outcome) == events.Done(JOB["input"][0])
        again = worker.begin(JOB)
        algorithm.reach_started()
        algorithm.send("done")
        failed = ended(again)
        assert isinstance(failed, events.Failed) and "without a `storing`" in failed.message


def test_msgpack_frames_are_binary(worker: LocalWorker) -> None:
    with connected(worker, "?encoding=msgpack") as algorithm:
        outcome = worker.begin(JOB)
        frame = algorithm.connection.recv(LIMIT)
        assert isinstance(frame, bytes)
        assert msgpack.unpackb(frame) == {"command": "initialize", "data": JOB}
        algorithm.connection.send(msgpack.packb({"command": "done", "data": b"\x00\x01"}))
        assert ended(outcome) == events.Done(b"\x00\x01")


def test_progress_spans_and_logs_reach_the_listener(
    worker: LocalWorker, recorder: Recorder
) -> None:
    with connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.reach_started()
        algorithm.send("progress", {"progress": 50, "details": "half"})
        algorithm.send("progress", "odd")
        algorithm.send("startSpan", {"name": "load", "tags": {"n": 1}})
        algorithm.send("finishSpan", {"tags": None, "error": "bad"})
        algorithm.send("logData", ["a", "b"])
        algorithm.send("done")
        ended(outcome)
    common = {"at": 7.0, "task_id": JOB["taskId"]}
    observed = (events.Progress, events.SpanStarted, events.SpanFinished, events.LogLines)
    assert [event for event in recorder.events if isinstance(event, observed)] == [
        events.Progress(**common, value=50, details="half"),
        events.Progress(**common, value=None, details=None),
        events.SpanStarted(**common, name="load", tags={"n": 1}),
        events.SpanFinished(**common, tags={}, error="bad"),
        events.LogLines(**common, lines=("a", "b")),
    ]


def test_failing_listener_does_not_harm_the_task(caplog: pytest.LogCaptureFixture) -> None:
    def listener(event: events.WorkerEvent) -> None:
        raise ValueError("broken page")

    with LocalWorker(listener) as worker, connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.reach_started()
        algorithm.send("done")
        assert ended(outcome) == events.Done(None)
    assert "a listener of the local worker failed" in caplog.text


def test_listener_can_stop_the_task() -> None:
    workers: list[LocalWorker] = []

    def listener(event: events.WorkerEvent) -> None:
        if isinstance(event, events.Progress):
            workers[0].stop()

    with LocalWorker(listener) as worker, connected(worker) as algorithm:
        workers.append(worker)
        outcome = worker.begin(JOB)
        algorithm.reach_started()
        algorithm.send("progress", {"progress": 1})
        algorithm.expect("stop")
        algorithm.send("stopped")
        assert ended(outcome) == events.Stopped()


def double(call: Call) -> Any:
    return call.input[0] * 2


def fail(call: Call) -> Any:
    raise ValueError(f"no {call.name}")


TABLE = AnswerTable(
    algorithms={"double": double, "fail": fail, "fixed": Result([1]), "bad": Failure("bad text")},
    pipelines={"p": Result([{"nodeName": "n", "result": 1}]), "cancelled": Cancelled("by hand")},
    data_sources={"d": Result({"files": []}), "gone": Failure("no such source")},
)


def execution(name: str, include_result: bool = True) -> dict[str, Any]:
    return {
        "execId": "1",
        "algorithmName": name,
        "input": [4],
        "includeResult": include_result,
    }


def pipeline(name: str) -> dict[str, Any]:
    return {
        "subPipelineId": "1",
        "subPipeline": {"name": name, "flowInput": {}},
        "includeResult": True,
    }


@pytest.mark.parametrize(
    ("command", "data", "answer", "answer_data"),
    [
        (
            "startAlgorithmExecution",
            execution("double"),
            "algorithmExecutionDone",
            {"execId": "1", "response": 8},
        ),
        (
            "startAlgorithmExecution",
            execution("fixed", include_result=False),
            "algorithmExecutionDone",
            {"execId": "1", "response": {"storageInfo": {"path": "local/1"}}},
        ),
        (
            "startAlgorithmExecution",
            execution("fail"),
            "algorithmExecutionError",
            {"execId": "1", "error": "ValueError: no fail"},
        ),
        (
            "startAlgorithmExecution",
            execution("bad"),
            "algorithmExecutionError",
            {"execId": "1", "error": "bad text"},
        ),
        (
            "startAlgorithmExecution",
            execution("other"),
            "algorithmExecutionError",
            {"execId": "1", "error": "there is no answer for algorithm 'other'"},
        ),
        (
            "startStoredSubPipeline",
            pipeline("p"),
            "subPipelineDone",
            {"response": [{"nodeName": "n", "result": 1}], "subPipelineId": "1"},
        ),
        (
            "startRawSubPipeline",
            pipeline("q"),
            "subPipelineError",
            {"subPipelineId": "1", "error": "there is no answer for raw pipeline 'q'"},
        ),
        (
            "startStoredSubPipeline",
            pipeline("cancelled"),
            "subPipelineStopped",
            {"subPipelineId": "1", "reason": "by hand"},
        ),
        (
            "dataSourceRequest",
            {"requestId": "1", "dataSource": {"dataSourceId": "d"}},
            "dataSourceResponse",
            {"requestId": "1", "response": {"files": []}, "error": None},
        ),
        (
            "dataSourceRequest",
            {"requestId": "1", "dataSource": {"snapshotId": "gone"}},
            "dataSourceResponse",
            {"requestId": "1", "response": None, "error": "no such source"},
        ),
        (
            "stopSubPipeline",
            {"subPipelineId": "9", "reason": "r"},
            "subPipelineError",
            {"subPipelineId": "9", "error": "unable to find subPipeline 9"},
        ),
        (
            "stopAlgorithmExecution",
            {"execId": "9", "reason": "r"},
            "algorithmExecutionError",
            {"execId": "9", "error": "unable to find execution 9"},
        ),
    ],
)
def test_calls_are_answered_from_the_table(
    command: str, data: dict[str, Any], answer: str, answer_data: dict[str, Any]
) -> None:
    with LocalWorker(answers=TABLE) as worker, connected(worker) as algorithm:
        worker.begin(JOB)
        algorithm.reach_started()
        algorithm.send(command, data)
        assert algorithm.expect(answer) == answer_data


def test_calls_are_answered_in_parallel_until_a_stop(recorder: Recorder) -> None:
    gate = threading.Event()

    def wait_and_return(call: Call) -> Any:
        assert gate.wait(LIMIT)
        return call.call_id

    table = AnswerTable(algorithms={"slow": wait_and_return})
    with LocalWorker(recorder, table) as worker, connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.reach_started()
        for number in range(3):
            call = {"execId": str(number), "algorithmName": "slow", "includeResult": True}
            algorithm.send("startAlgorithmExecution", call)
        algorithm.send("stopAlgorithmExecution", {"execId": "1", "reason": "enough"})
        algorithm.send("progress", {"progress": 1})  # after it, the stop has been read
        recorder.wait_for(events.Progress)
        gate.set()
        answers = [algorithm.expect("algorithmExecutionDone")["execId"] for _ in range(2)]
        assert sorted(answers) == ["0", "2"]
        algorithm.send("done")
        assert ended(outcome) == events.Done(None)


def test_open_call_is_not_answered_after_the_task(recorder: Recorder) -> None:
    gate, answered = threading.Event(), threading.Event()

    def wait_and_return(call: Call) -> Any:
        gate.wait(LIMIT)
        answered.set()
        return 1

    table = AnswerTable(algorithms={"slow": wait_and_return})
    with LocalWorker(recorder, table) as worker, connected(worker) as algorithm:
        outcome = worker.begin(JOB)
        algorithm.reach_started()
        algorithm.send("startAlgorithmExecution", execution("slow"))
        algorithm.send("done")
        ended(outcome)
        gate.set()
        assert answered.wait(LIMIT)
        worker.begin(JOB)
        algorithm.expect("initialize")
    assert not recorder.of(events.CallAnswered)


def test_job_has_the_shape_of_hkubes() -> None:
    job = make_job((1, 2), algorithm_name="alg", node_name="green")
    assert job["input"] == [1, 2]
    assert job["algorithmName"] == "alg"
    assert job["info"]["savePaths"] == [job["nodeName"]] == ["green"]
    assert job["taskId"] != make_job([], "alg")["taskId"]


STREAM_JOB = {**JOB, "kind": "stream", "childs": ["B"]}


def test_statistics_and_messages_of_a_stream_are_reported(
    worker: LocalWorker, recorder: Recorder
) -> None:
    with connected(worker) as algorithm:
        worker.begin(STREAM_JOB)
        algorithm.reach_started()
        report = {"nodeName": "B", "sent": 1}
        algorithm.send("streamingStatistics", [report])
        statistics = recorder.wait_for(events.StatisticsCame)
        assert isinstance(statistics, events.StatisticsCame)
        assert statistics.reports == (report,)
        algorithm.send("streamingOutMessage", {"message": 5, "flowName": "f"})
        sent = recorder.wait_for(events.StreamMessageSent)
        assert isinstance(sent, events.StreamMessageSent)
        assert (sent.value, sent.flow) == (5, "f")
    assert not recorder.of(events.Violation)


@pytest.mark.parametrize("data", [None, {}, [5], [{"nodeName": "A"}], [{}]])
def test_statistics_that_would_end_hkubes_worker_are_reported(
    worker: LocalWorker, recorder: Recorder, data: Any
) -> None:
    with connected(worker) as algorithm:
        worker.begin(STREAM_JOB)
        algorithm.reach_started()
        algorithm.send("streamingStatistics", data)
        violation = recorder.wait_for(events.Violation)
        assert isinstance(violation, events.Violation)
        assert violation.text == "'streamingStatistics' of no child"


def test_parents_that_come_and_go_are_passed_on(worker: LocalWorker) -> None:
    changes = [
        {"nodeName": "A", "address": {"host": "127.0.0.1", "port": "5"}, "type": "Add"},
    ]
    worker.discover(changes)  # nobody is connected
    with connected(worker) as algorithm:
        worker.begin(STREAM_JOB)
        algorithm.reach_started()
        worker.discover(changes)
        assert algorithm.expect("serviceDiscoveryUpdate") == changes
