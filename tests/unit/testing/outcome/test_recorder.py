"""How the local worker's events become an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event
from typing import Any

from wrapper.local.worker import events
from wrapper.local.worker.answers import Call, CallKind
from wrapper.testing.outcome.recorder import Recorder, StopAt

LIMIT = 10.0


def no_stop(force: bool) -> None:
    raise AssertionError("no run is to be stopped")


def came(command: str, task_id: str | None = "t", **data: Any) -> events.MessageReceived:
    message = {"command": command, "data": data}
    return events.MessageReceived(at=0.0, task_id=task_id, message=message)


def test_outcome_is_built_from_the_events() -> None:
    recorder = Recorder(no_stop)
    call = Call(CallKind.ALGORITHM, "1", "other", [1], True, {})
    recorder.begin(None)
    for event in (
        events.Connected(at=0.0, task_id="t", encoding="json"),
        came("initialized"),
        came("alive"),
        came("progress", progress=5),
        events.Progress(at=0.0, task_id="t", value=5, details=None),
        events.SpanStarted(at=0.0, task_id="t", name="a", tags={}),
        events.CallStarted(at=0.0, task_id="t", call=call),
        came("logData"),
    ):
        recorder(event)
    outcome = recorder.outcome(events.Done(7), ["line"], {})
    assert outcome.result == 7
    assert (outcome.error, outcome.stopped) == (None, False)
    assert [each["command"] for each in outcome.messages] == ["initialized", "progress"]
    assert outcome.progress == [5]
    assert [span.name for span in outcome.spans] == ["a"]
    assert outcome.calls == (call,)
    assert outcome.logs == ["line"]


def test_events_outside_the_run_are_ignored() -> None:
    recorder = Recorder(no_stop)
    recorder.begin(None)
    recorder(came("progress"))
    recorder.begin(None)
    recorder(came("stopped", task_id=None))
    assert recorder.outcome(events.Done(None), [], {}).messages == []


def test_failure_is_matched_with_its_exception() -> None:
    raised = {"ValueError: a": ValueError("a"), "ValueError: b": ValueError("b")}
    failed = events.Failed("AlgorithmError", "ValueError: b", "frames")
    error = Recorder(no_stop).outcome(failed, [], raised).error
    assert error is not None
    assert (error.code, error.message, error.details) == (
        "AlgorithmError",
        "ValueError: b",
        "frames",
    )
    assert error.exception is raised["ValueError: b"]
    other = Recorder(no_stop).outcome(events.Failed("EncodingError", "no", ""), [], raised).error
    assert other is not None
    assert other.exception is None


def test_lost_task_becomes_an_error_with_details() -> None:
    error = Recorder(no_stop).outcome(events.Lost("it crashed\nhere\nand here"), [], {}).error
    assert error is not None
    assert (error.code, error.message, error.details) == ("Lost", "it crashed", "here\nand here")


def test_stopped_run() -> None:
    outcome = Recorder(no_stop).outcome(events.Stopped(), [], {})
    assert outcome.stopped
    assert outcome.error is None


def test_run_is_stopped_once_after_the_message() -> None:
    stops: list[bool] = []
    recorder = Recorder(stops.append)
    recorder.begin(StopAt(is_progress, force=False))
    recorder(came("started"))
    recorder(came("progress", task_id=None))
    assert not stops
    recorder(came("progress"))
    assert stops == [False]  # before the next message is read
    recorder(came("progress"))
    recorder.end()
    assert stops == [False]


def test_run_is_stopped_after_a_delay() -> None:
    stopped = Event()
    recorder = Recorder(lambda force: stopped.set())
    recorder.begin(StopAt(is_progress, delay=0.001))
    recorder(came("progress"))
    assert stopped.wait(LIMIT)
    recorder.end()


def is_progress(message: Mapping[str, Any]) -> bool:
    return bool(message["command"] == "progress")


def test_run_that_ends_before_the_delay_is_not_stopped() -> None:
    stops: list[bool] = []
    recorder = Recorder(stops.append)
    recorder.begin(StopAt(lambda message: True, delay=3600.0))
    recorder(came("started"))
    recorder.end()
    assert not stops


def test_recorder_tracks_the_connection() -> None:
    recorder = Recorder(no_stop)
    seen = [recorder.connected]
    for event in (
        events.Connected(at=0.0, task_id=None, encoding="json"),
        events.Disconnected(at=0.0, task_id=None, code=1000, reason=""),
    ):
        recorder(event)
        seen.append(recorder.connected)
    assert seen == [False, True, False]
