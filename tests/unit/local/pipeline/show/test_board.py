"""The counts of each node, from the events."""

from __future__ import annotations

from typing import Any

import pytest

from wrapper.local.pipeline import events
from wrapper.local.pipeline.run.actions import TaskKey
from wrapper.local.pipeline.show.board import Board, Row, label_of
from wrapper.local.worker import events as worker_events


def heard(*happened: tuple[type[events.PipelineEvent], dict[str, Any]]) -> Board:
    """A board that heard of these, a second apart."""
    board = Board()
    for second, (kind, facts) in enumerate(happened):
        board.hear(kind(at=float(second), run=(), **facts))
    return board


STARTED = (events.RunStarted, {"name": "p", "nodes": (("a", "alg"), ("b", "other"))})
ONE, TWO = {"task": TaskKey("a", (1,))}, {"task": TaskKey("a", (2,))}


def counts(row: Row) -> tuple[int, int, int, int]:
    return row.waiting, row.running, row.done, row.failed


def test_the_rows_are_there_from_the_beginning() -> None:
    rows = heard(STARTED).rows
    assert [(row.label, row.algorithm, counts(row)) for row in rows] == [
        ("a", "alg", (0, 0, 0, 0)),
        ("b", "other", (0, 0, 0, 0)),
    ]
    assert rows[0].seconds(now=9) is None


def test_tasks_go_from_waiting_to_their_end() -> None:
    happened: list[tuple[type[events.PipelineEvent], dict[str, Any]]] = [
        (events.TaskWaiting, {**ONE, "attempts": 0}),
        (events.TaskWaiting, {**TWO, "attempts": 0}),
        (events.TaskRunning, ONE),
        (events.TaskRunning, TWO),
        (events.TaskDone, ONE),
        (events.TaskFailed, {**TWO, "text": "E", "details": ""}),
        (events.NodeEnded, {"node": "a"}),
    ]
    expected = [(1, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (0, 2, 0, 0), (0, 1, 1, 0), (0, 0, 1, 1)]
    for length, numbers in enumerate(expected, start=1):
        assert counts(heard(STARTED, *happened[:length]).rows[0]) == numbers
    row = heard(STARTED, *happened).rows[0]
    assert (row.total, row.is_over, row.seconds(now=99)) == (2, True, 3.0)
    assert heard(STARTED, *happened[:4]).rows[0].seconds(now=99) == 96.0


def test_a_task_that_is_tried_again_has_not_failed() -> None:
    board = heard(
        (events.TaskWaiting, {**ONE, "attempts": 0}),
        (events.TaskRunning, ONE),
        (events.TaskFailed, {**ONE, "text": "E", "details": ""}),
        (events.TaskWaiting, {**ONE, "attempts": 1}),
    )
    assert counts(board.rows[0]) == (1, 0, 0, 0)


def test_tasks_that_are_stopped_leave_their_column() -> None:
    board = heard(
        (events.TaskWaiting, {**ONE, "attempts": 0}),
        (events.TaskWaiting, {**TWO, "attempts": 0}),
        (events.TaskRunning, ONE),
        (events.TaskStopped, {**ONE, "was_running": True}),
        (events.TaskStopped, {**TWO, "was_running": False}),
    )
    assert counts(board.rows[0]) == (0, 0, 0, 0)


def test_a_node_that_is_skipped_and_what_a_task_tells() -> None:
    told = worker_events.Progress(at=0, task_id="t", value=40, details=None)
    board = heard(
        STARTED,
        (events.NodeSkipped, {"node": "b", "why": "its batch is empty"}),
        (events.TaskTold, {**ONE, "event": told}),
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
def test_how_nodes_of_nested_runs_are_called(run: events.Path, node: str, label: str) -> None:
    assert label_of(run, node) == label
