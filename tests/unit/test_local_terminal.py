"""The lines that the local worker's events make."""

from __future__ import annotations

import io
from typing import Any

import pytest

from wrapper.local import events
from wrapper.local.answers import Call, CallKind, Cancelled, Failure, Reply, Result
from wrapper.local.terminal import Terminal, shown

CALL = Call(CallKind.ALGORITHM, "1", "green", [1], True, {})
COMMON: dict[str, Any] = {"at": 12.5, "task_id": "t"}


def written(*heard: events.Event) -> str:
    stream = io.StringIO()
    terminal = Terminal(stream, started=12.0)
    for event in heard:
        terminal(event)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (events.Connected(**COMMON, encoding="json"), "connected after 0.50 s"),
        (events.Progress(**COMMON, value=50, details=None), "progress 50"),
        (events.Progress(**COMMON, value=0.5, details="half"), "progress 0.5: half"),
        (events.Progress(**COMMON, value="a", details=[1]), 'progress "a": [1]'),
        (events.CallStarted(**COMMON, call=CALL), "call algorithm green"),
        (events.LogLines(**COMMON, lines=("a", "b")), "a\nb"),
        (
            events.Violation(**COMMON, text="'alive' with no task running"),
            "warning: the algorithm sent 'alive' with no task running",
        ),
        (events.Ended(**COMMON, outcome=events.Done(1)), "done after 0.50 s"),
        (events.Ended(**COMMON, outcome=events.Stopped()), "stopped after 0.50 s"),
        (events.Ended(**COMMON, outcome=events.Lost("gone")), "lost after 0.50 s: gone"),
        (
            events.Ended(**COMMON, outcome=events.Failed("C", "M", "D1\nD2\n")),
            "failed after 0.50 s (C)",
        ),
        (
            events.SpanFinished(**COMMON, tags={}, error=None),
            "warning: the algorithm sent 'finishSpan' with no span open",
        ),
    ],
)
def test_an_event_worth_a_line(event: events.Event, line: str) -> None:
    assert written(event) == f"[local] {line}\n"


@pytest.mark.parametrize(
    "event",
    [
        events.Sent(**COMMON, command="start"),
        events.Received(**COMMON, command="alive"),
        events.Disconnected(**COMMON, code=1000, reason=""),
    ],
)
def test_an_event_worth_none(event: events.Event) -> None:
    assert written(event) == ""


@pytest.mark.parametrize(
    ("reply", "text"),
    [(Result([1]), "[1]"), (Failure("no"), "error: no"), (Cancelled("why"), "stopped: why")],
)
def test_replies(reply: Reply, text: str) -> None:
    event = events.CallAnswered(**COMMON, call=CALL, reply=reply)
    assert written(event) == f"[local] answer for algorithm green: {text}\n"


def test_spans_are_indented_and_timed() -> None:
    text = written(
        events.SpanStarted(at=13.0, task_id="t", name="outer", tags={"n": 1}),
        events.SpanStarted(at=13.5, task_id="t", name="inner", tags={}),
        events.Progress(**COMMON, value=1, details=None),
        events.SpanFinished(at=14.0, task_id="t", tags={"k": 2}, error="bad"),
        events.SpanFinished(at=15.0, task_id="t", tags={}, error=None),
    )
    assert text.splitlines() == [
        '[local] span outer {"n": 1}',
        "[local]   span inner",
        "[local]     progress 1",
        '[local]   span inner took 0.50 s {"k": 2}, failed: bad',
        "[local] span outer took 2.00 s",
    ]


def test_a_task_ends_its_spans() -> None:
    text = written(
        events.SpanStarted(**COMMON, name="open", tags={}),
        events.Ended(**COMMON, outcome=events.Done(1)),
    )
    assert text.splitlines()[-1] == "[local] done after 0.50 s"


def test_long_values_are_cut() -> None:
    assert shown("x" * 300, limit=10) == '"xxxxxxxx…'
    assert shown({1, 2}) == '"{1, 2}"'
