"""What is written about a streaming pipeline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wrapper.local.pipeline.show.stream_lines import EVERY, StreamLines
from wrapper.local.pipeline.streaming.actions import EndStream
from wrapper.local.pipeline.streaming.edge_statistics import EdgeState
from wrapper.local.worker import events

BUSY = EdgeState(("A", "B"), 1234.4, 5, 6, 7000, 1, 2, (0.5, 12.4), (3.0, 1500.0))
IDLE = EdgeState(("B", "C"), 0.0, 0, 0, 0, 0, 0, None, None)


class Written:
    """Lines, and what is written on stdout."""

    def __init__(self, brief: bool = False) -> None:
        self.lines: list[str] = []
        self.messages: list[Any] = []
        self.view = StreamLines(
            self.lines.append, lambda node, message: self.messages.append(message), 0.0, brief
        )


def test_an_edge_has_a_line_once_in_some_seconds() -> None:
    written = Written()
    written.view.edges([BUSY, IDLE], {"B": 2}, 1.0)
    assert written.lines == []
    written.view.edges([BUSY, IDLE], {"B": 2}, EVERY)
    busy, idle = written.lines
    assert busy == (
        "[local] A >> B: 1,234/s, queue 5, in flight 6, 2 pods, dropped 1, redelivered 2, "
        "waiting 0.5 ms (p99 12 ms), handling 3.0 ms (p99 1,500 ms)"
    )
    assert idle == "[local] B >> C: 0/s, queue 0, in flight 0, 0 pods"
    written.view.edges([BUSY], {"B": 2}, EVERY + 1)
    assert len(written.lines) == 2


def test_an_edge_on_which_nothing_happens_is_not_repeated() -> None:
    written = Written()
    done = replace(BUSY, queue=0)
    for second in (EVERY, 2 * EVERY, 3 * EVERY):
        written.view.edges([done], {}, second)
    assert len(written.lines) == 1


def test_nothing_is_written_before_the_first_message() -> None:
    written = Written()
    written.view.edges([IDLE], {}, 100.0)
    assert written.lines == []


def test_the_end_has_the_totals() -> None:
    written = Written(brief=True)
    written.view.edges([BUSY], {}, 100.0)
    written.view.ended(EndStream("Ctrl-C", False), [BUSY, IDLE], 12.5)
    assert written.lines == [
        "[local] A >> B: 7,000 handled, 1 dropped, 2 redelivered, 11 not handled",
        "[local] B >> C: 0 handled",
        "[local] ended after 12.50 s: Ctrl-C",
    ]


def test_a_failure_has_the_users_lines() -> None:
    written = Written()
    written.view.failed("B", events.Failed("ValueError", "ValueError: no", "main.py\n  line\n"))
    written.view.failed("B", events.Lost("its process ended"))
    assert written.lines == [
        "[local] B failed: ValueError: no",
        "    main.py",
        "      line",
        "[local] B failed: its process ended",
    ]
