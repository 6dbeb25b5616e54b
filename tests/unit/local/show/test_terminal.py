"""The lines that show the local worker's events."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest

from wrapper.local.show.screen import Screen
from wrapper.local.show.terminal import Terminal, duration, shown
from wrapper.local.worker import events
from wrapper.local.worker.answers import Call, CallKind, Cancelled, Failure, Reply, Result

CALL = Call(CallKind.ALGORITHM, "1", "green", [1], True, {})
COMMON: dict[str, Any] = {"at": 12.5, "task_id": "t"}


JOB = {"taskId": "t", "algorithmName": "green", "input": []}


def written(*shown: events.WorkerEvent, job: dict[str, Any] | None = None) -> str:
    stream = io.StringIO()
    terminal = Terminal(Screen(stream), started=12.0)
    if job is not None:
        terminal.begin(job)
    for event in shown:
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
        (events.Received(**COMMON, command="initialized"), "initialized after 0.50 s"),
        (events.Received(**COMMON, command="started"), "started after 0.50 s"),
        (
            events.Violation(**COMMON, text="'alive' with no task running"),
            "warning: the algorithm sent 'alive' with no task running",
        ),
        (events.TaskCompleted(**COMMON, outcome=events.Done(1)), "done after 0.50 s"),
        (events.TaskCompleted(**COMMON, outcome=events.Stopped()), "stopped after 0.50 s"),
        (
            events.TaskCompleted(**COMMON, outcome=events.Lost("gone")),
            "interrupted after 0.50 s: gone",
        ),
        (
            events.TaskCompleted(**COMMON, outcome=events.Failed("C", "M", "D1\nD2\n")),
            "failed after 0.50 s (C)\nerror: M\n    D1\n    D2",
        ),
        (
            events.SpanFinished(**COMMON, tags={}, error=None),
            "warning: the algorithm sent 'finishSpan' with no span open",
        ),
    ],
)
def test_event_that_is_shown(event: events.WorkerEvent, line: str) -> None:
    assert written(event) == f"[local] {line}\n"


@pytest.mark.parametrize(
    "event",
    [
        events.Sent(**COMMON, command="start"),
        events.Received(**COMMON, command="alive"),
        events.Disconnected(**COMMON, code=1000, reason=""),
    ],
)
def test_event_that_is_not_shown(event: events.WorkerEvent) -> None:
    assert written(event) == ""


@pytest.mark.parametrize(
    ("reply", "text"),
    [(Result([1]), "[1]"), (Failure("no"), "error: no"), (Cancelled("why"), "stopped: why")],
)
def test_replies(reply: Reply, text: str) -> None:
    event = events.CallAnswered(**COMMON, call=CALL, reply=reply)
    assert written(event) == f"[local] answer for algorithm green: {text}\n"


def test_spans_are_shown_as_a_tree() -> None:
    text = written(
        events.SpanStarted(at=13.0, task_id="t", name="outer", tags={"n": 1}),
        events.SpanStarted(at=13.5, task_id="t", name="inner", tags={}),
        events.SpanFinished(at=13.75, task_id="t", tags={"k": 2}, error="bad"),
        events.SpanStarted(at=13.8, task_id="t", name="next", tags={}),
        events.SpanFinished(at=13.9, task_id="t", tags={}, error=None),
        events.SpanFinished(at=15.0, task_id="t", tags={}, error=None),
        events.SpanStarted(at=15.5, task_id="t", name="open", tags={}),
        events.TaskCompleted(at=16.0, task_id="t", outcome=events.Lost("gone")),
    )
    assert text.splitlines() == [
        "[local] spans",
        '[local] ├─ outer 2.00 s {"n": 1}',
        '[local] │  ├─ inner 250.0 ms {"k": 2} failed: bad',
        "[local] │  └─ next 100.0 ms",
        "[local] └─ open not finished",
        "[local] interrupted after 4.00 s: gone",
    ]


def test_next_task_starts_without_spans() -> None:
    stream = io.StringIO()
    terminal = Terminal(Screen(stream), started=12.0)
    terminal.begin(JOB)
    terminal(events.SpanStarted(**COMMON, name="a", tags={}))
    terminal(events.TaskCompleted(**COMMON, outcome=events.Done(1)))
    terminal.begin(JOB)
    terminal(events.TaskCompleted(**COMMON, outcome=events.Done(2)))
    assert stream.getvalue().count("a not finished") == 1


def test_bar_does_not_return_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(io.StringIO())
    terminal = Terminal(screen, started=12.0)
    moves: list[str] = []
    ending = threading.Thread(
        target=terminal, args=(events.TaskCompleted(**COMMON, outcome=events.Done(1)),)
    )

    def bar(text: str, percent: float | None = None) -> None:
        if not moves:
            ending.start()
            # With a lock the task's end waits for this bar; without one it overtakes it.
            ending.join(0.2)
        moves.append("bar")

    monkeypatch.setattr(screen, "bar", bar)
    monkeypatch.setattr(screen, "no_bar", lambda: moves.append("no bar"))
    terminal.begin(JOB)
    terminal.note("50 %")
    ending.join()
    terminal.note("100 %")
    assert moves == ["bar", "no bar"]


def test_lines_of_the_algorithm_are_unmarked() -> None:
    assert written(events.LogLines(**COMMON, lines=("a", "b"))) == "a\nb\n"


def test_failure_ends_with_a_hint() -> None:
    failure = events.Failed("AlgorithmError", "IndexError: list index out of range", "")
    text = written(events.TaskCompleted(**COMMON, outcome=failure), job=JOB)
    assert text.splitlines()[1:] == [
        "error: IndexError: list index out of range",
        "hint: args['input'] is an empty list here; give it items with --input '[...]'",
    ]


def test_long_details_are_shortened() -> None:
    failure = events.Failed("C", "M", "first" + "x" * 10_000 + "last")
    text = written(events.TaskCompleted(**COMMON, outcome=failure))
    assert "first" in text and "last" in text
    assert "… 6,009 characters …" in text


def test_long_values_are_shortened() -> None:
    assert shown("x" * 300) == f'"{"x" * 198}…'
    assert shown({1: b"bytes"}) == '{"1": {"$base64": "Ynl0ZXM="}}'


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0005, "0.5 ms"), (0.25, "250.0 ms"), (1.5, "1.50 s")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
