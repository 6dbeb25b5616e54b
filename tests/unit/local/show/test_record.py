"""The JSON object of a task."""

from __future__ import annotations

import json

from wrapper.local.show.record import Record
from wrapper.local.worker import events
from wrapper.local.worker.connection import CONNECTION_LOST

JOB = {"taskId": "t", "algorithmName": "green", "input": []}


def test_record_of_a_done_task() -> None:
    record = Record(JOB)
    for event in (
        events.Connected(at=0.0, task_id=None, encoding="json"),
        events.Sent(at=1.0, task_id="t", command="initialize"),
        events.Progress(at=1.1, task_id="t", value=50, details=None),
        events.SpanStarted(at=1.1, task_id="t", name="a", tags={"n": 1}),
        events.SpanStarted(at=1.2, task_id="t", name="b", tags={}),
        events.SpanFinished(at=1.25, task_id="t", tags={}, error="bad"),
        events.TaskCompleted(at=1.5, task_id="t", outcome=events.Done([1])),
        events.Progress(at=9.0, task_id="other", value=99, details=None),
    ):
        record(event)
    inner = {"name": "b", "seconds": 0.05, "tags": {}, "error": "bad", "children": []}
    outer = {"name": "a", "seconds": None, "tags": {"n": 1}, "error": None, "children": [inner]}
    assert record.to_json(events.Done([1])) == {
        "algorithm": "green",
        "status": "done",
        "result": [1],
        "error": None,
        "exitCode": None,
        "seconds": 0.5,
        "progress": [50],
        "spans": [outer],
    }


def test_record_of_other_outcomes() -> None:
    record = Record(JOB)
    failed = record.to_json(events.Failed("AlgorithmError", "SystemExit: 3", "lines"))
    assert failed["status"] == "failed"
    assert failed["error"]["details"] == "lines"
    assert "return a result" in failed["error"]["hint"]
    lost = record.to_json(events.Lost("gone"), 139)
    assert (lost["status"], lost["exitCode"]) == ("crashed", 139)
    assert lost["error"]["message"] == "gone"
    crashed = record.to_json(events.Lost(CONNECTION_LOST), 139)
    assert crashed["error"]["message"] == "the process ended with exit code 139 (SIGSEGV)"
    assert record.to_json(events.Lost(CONNECTION_LOST))["error"]["message"] == CONNECTION_LOST
    assert record.to_json(events.Stopped())["status"] == "stopped"
    assert json.dumps([failed, lost])
