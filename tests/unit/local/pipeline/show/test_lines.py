"""Pipeline runs as lines of text."""

from __future__ import annotations

from typing import Any

from wrapper.local.pipeline import events
from wrapper.local.pipeline.run.actions import PipelineFailed, PipelineStopped, Succeeded, TaskKey
from wrapper.local.pipeline.show.lines import PipelineLines, failure_of
from wrapper.local.worker import events as worker_events

A, B = {"task": TaskKey("a")}, {"task": TaskKey("a", (2,))}
BEGIN: list[Any] = [
    (events.RunStarted, {"name": "p", "nodes": (("a", "alg"),)}),
    (events.TaskQueued, {**A, "attempts": 0}),
    (events.TaskStarted, A),
]


def lines(*happened: Any, brief: bool = False) -> list[str]:
    """The lines for some events, one second apart; an event may start with the path of its run."""
    written: list[str] = []
    listener = PipelineLines(written.append, started=0.0, brief=brief)
    for second, (*run, kind, facts) in enumerate(happened):
        listener(kind(at=float(second), run=tuple(run), **facts))
    return written


def test_successful_task() -> None:
    assert lines(
        *BEGIN,
        (events.OutputLine, {"task": TaskKey("a"), "line": "hello"}),
        (events.TaskDone, A),
        (events.NodeEnded, {"node": "a"}),
        (events.RunEnded, {"outcome": Succeeded([])}),
    ) == [
        "[local] pipeline p",
        "[local] a started",
        "[a] hello",
        "[local] a done in 2.00 s",
        "[local] done after 6.00 s",
    ]


def test_brief_output_leaves_out_what_a_table_shows() -> None:
    assert lines(
        *BEGIN,
        (events.OutputLine, {"task": TaskKey("a"), "line": "hello"}),
        (events.TaskDone, A),
        (events.NodeEnded, {"node": "a"}),
        (events.RunEnded, {"outcome": Succeeded([])}),
        brief=True,
    ) == ["[a] hello", "[local] done after 6.00 s"]


def test_path_that_leads_nowhere_is_noted_beside_a_table_too() -> None:
    facts = {"node": "b", "reference": "@a.x", "suggestion": ": did you mean 'y'?"}
    note = "note: b: '@a.x' leads nowhere in the result and gives null: did you mean 'y'?"
    assert lines((events.PathMissing, facts), brief=True) == [f"[local] {note}"]


def test_batch() -> None:
    waiting = [(events.TaskQueued, {"task": TaskKey("a", (n,)), "attempts": 0}) for n in (1, 2)]
    running = [(events.TaskStarted, {"task": TaskKey("a", (n,))}) for n in (1, 2)]
    assert lines(
        *waiting,
        *running,
        (events.TaskFailed, {**B, "text": "E", "details": ""}),
        (events.TaskDone, {"task": TaskKey("a", (1,))}),
        (events.NodeEnded, {"node": "a"}),
    ) == [
        "[local] a started, 2 tasks",
        "[local] a[2] failed: E",
        "[local] a done in 3.00 s: 2 tasks, 1 failed",
    ]


def test_failure_that_ends_the_pipeline_is_written_once() -> None:
    assert lines(
        *BEGIN,
        (events.TaskFailed, {**A, "text": "E", "details": ""}),
        (events.TaskStopped, {"task": TaskKey("b"), "was_running": True}),
        (events.RunEnded, {"outcome": PipelineFailed("E", TaskKey("a"))}),
    )[2:] == ["[local] failed after 5.00 s: a: E"]


def test_traceback_comes_before_the_final_message() -> None:
    failed = (events.TaskFailed, {**A, "text": "E", "details": "Traceback\n  main.py\n"})
    assert lines(*BEGIN, failed, (events.RunEnded, {"outcome": PipelineFailed("E", TaskKey("a"))}))[
        2:
    ] == [
        "[local] a failed",
        "    Traceback",
        "      main.py",
        "[local] failed after 4.00 s: a: E",
    ]
    assert lines(*BEGIN, failed, (events.TaskQueued, {**A, "attempts": 1}))[2:4] == [
        "[local] a failed: E",
        "    Traceback",
    ]


def test_hint_comes_after_the_traceback() -> None:
    facts = {**A, "text": "E", "details": "Traceback", "hint": "do that"}
    failed = (events.TaskFailed, facts)
    assert lines(*BEGIN, failed, (events.RunEnded, {"outcome": PipelineFailed("E", TaskKey("a"))}))[
        3:
    ] == [
        "    Traceback",
        "[local] hint: do that",
        "[local] failed after 4.00 s: a: E",
    ]


def test_long_details_are_cut() -> None:
    details = "\n".join(["x" * 5000] * 500)
    failed = (events.TaskFailed, {**A, "text": "E", "details": details})
    written = lines(*BEGIN, failed, (events.TaskQueued, {**A, "attempts": 1}))
    assert "    … 440 lines …" in written
    assert max(map(len, written)) < 1100


def test_retried_task() -> None:
    assert lines(
        *BEGIN,
        (events.TaskFailed, {**A, "text": "E", "details": ""}),
        (events.TaskQueued, {**A, "attempts": 1}),
    )[2:] == ["[local] a failed: E", "[local] a is retried, attempt 2"]


def test_runs_started_by_a_task() -> None:
    inner = {"task": TaskKey("price")}
    assert lines(
        ("a", "price", events.RunStarted, {"name": "price", "nodes": (("price", "price"),)}),
        ("a", "price", events.TaskQueued, {**inner, "attempts": 0}),
        ("a", "price", events.TaskStarted, inner),
        ("a", "price", events.OutputLine, {"task": TaskKey("price"), "line": "hello"}),
        ("a", "price", events.TaskFailed, {**inner, "text": "E", "details": ""}),
        ("a", "price", events.RunEnded, {"outcome": PipelineFailed("E", TaskKey("price"))}),
        ("a", "stock", events.RunEnded, {"outcome": PipelineFailed("it took longer")}),
        ("a", "stock", events.RunEnded, {"outcome": PipelineStopped("enough")}),
        ("a", "stock", events.RunEnded, {"outcome": Succeeded([])}),
    ) == [
        "[local] a › price started",
        "[a › price] hello",
        "[local] a › price failed: E",
        "[local] a › stock failed: it took longer",
        "[local] a › stock stopped: enough",
    ]


def test_other_events_that_are_written() -> None:
    progress = worker_events.Progress(at=0, task_id="t", value=40, details=None)
    violation = worker_events.Violation(at=0, task_id="t", text="'x', which is not a command")
    assert lines(
        (events.TaskReported, {**A, "event": progress}),
        (events.TaskReported, {**B, "event": progress}),
        (events.TaskReported, {**B, "event": violation}),
        (events.NodeSkipped, {"node": "b", "why": "its batch is empty"}),
        (events.RunEnded, {"outcome": PipelineStopped("Ctrl-C")}),
    ) == [
        "[local] a progress 40",
        "[local] warning: a[2] sent 'x', which is not a command",
        "[local] b skipped: its batch is empty",
        "[local] stopped after 4.00 s: Ctrl-C",
    ]


def test_reason_for_a_failed_pipeline() -> None:
    assert failure_of(PipelineFailed("E", TaskKey("a", (3, 2)))) == "a[3][2]: E"
    assert failure_of(PipelineFailed("it took longer")) == "it took longer"
