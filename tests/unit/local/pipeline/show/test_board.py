"""The counts of each node, computed from events."""

from __future__ import annotations

from typing import Any

import pytest

from wrapper.local.pipeline import events
from wrapper.local.pipeline.run.actions import TaskKey
from wrapper.local.pipeline.show.board import Board, Row, label_of
from wrapper.local.worker import events as worker_events


def board_after(*happened: tuple[type[events.PipelineEvent], dict[str, Any]]) -> Board:
    """A board after some events, one second apart."""
    board = Board()
    for second, (kind, facts) in enumerate(happened):
        board.update(kind(at=float(second), run=(), **facts))
    return board


STARTED = (events.RunStarted, {"name": "p", "nodes": (("a", "alg"), ("b", "other"))})
ONE, TWO = {"task": TaskKey("a", (1,))}, {"task": TaskKey("a", (2,))}


def counts(row: Row) -> tuple[int, int, int, int]:
    return row.waiting, row.running, row.done, row.failed


def test_rows_exist_from_the_start() -> None:
    rows = board_after(STARTED).rows
    assert [(row.label, row.algorithm, counts(row)) for row in rows] == [
        ("a", "alg", (0, 0, 0, 0)),
        ("b", "other", (0, 0, 0, 0)),
    ]
    assert rows[0].seconds(now=9) is None


def test_tasks_move_from_waiting_to_done_or_failed() -> None:
    happened: list[tuple[type[events.PipelineEvent], dict[str, Any]]] = [
        (events.TaskQueued, {**ONE, "attempts": 0}),
        (events.TaskQueued, {**TWO, "attempts": 0}),
        (events.TaskStarted, ONE),
        (events.TaskStarted, TWO),
        (events.TaskDone, ONE),
        (events.TaskFailed, {**TWO, "text": "E", "details": ""}),
        (events.NodeEnded, {"node": "a"}),
    ]
    expected = [(1, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (0, 2, 0, 0), (0, 1, 1, 0), (0, 0, 1, 1)]
    for length, numbers in enumerate(expected, start=1):
        assert counts(board_after(STARTED, *happened[:length]).rows[0]) == numbers
    row = board_after(STARTED, *happened).rows[0]
    assert (row.total, row.is_over, row.seconds(now=99)) == (2, True, 3.0)
    assert board_after(STARTED, *happened[:4]).rows[0].seconds(now=99) == 96.0


def test_retried_task_does_not_count_as_failed() -> None:
    board = board_after(
        (events.TaskQueued, {**ONE, "attempts": 0}),
        (events.TaskStarted, ONE),
        (events.TaskFailed, {**ONE, "text": "E", "details": ""}),
        (events.TaskQueued, {**ONE, "attempts": 1}),
    )
    assert counts(board.rows[0]) == (1, 0, 0, 0)


def test_stopped_tasks_are_not_counted() -> None:
    board = board_after(
        (events.TaskQueued, {**ONE, "attempts": 0}),
        (events.TaskQueued, {**TWO, "attempts": 0}),
        (events.TaskStarted, ONE),
        (events.TaskStopped, {**ONE, "was_running": True}),
        (events.TaskStopped, {**TWO, "was_running": False}),
    )
    assert counts(board.rows[0]) == (0, 0, 0, 0)


def test_skipped_node_and_reported_progress() -> None:
    progress = worker_events.Progress(at=0, task_id="t", value=40, details=None)
    board = board_after(
        STARTED,
        (events.NodeSkipped, {"node": "b", "why": "its batch is empty"}),
        (events.TaskReported, {**ONE, "event": progress}),
    )
    assert (board.rows[1].skipped, board.rows[1].is_over) == (True, True)
    assert board.rows[0].progress == 40


@pytest.mark.parametrize(
    "run, node, label",
    [
        ((), "a", "a"),
        (("a", "price"), "price", "a › price"),
        (("a", "stock"), "count", "a › stock › count"),
        (("a", "stock", "count", "price"), "price", "a › stock › count › price"),
        (("a", "f", "f", "f", "f", "f"), "f", "a › f › f › f"),
        (("a", "stock"), "", "a › stock"),
        (("a", "p", "b", "q", "c", "r"), "d", "a › … › c › r › d"),
    ],
)
def test_labels_of_nested_runs(run: events.Path, node: str, label: str) -> None:
    assert label_of(run, node) == label
