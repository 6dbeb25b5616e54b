"""The table of nodes, on a terminal that writes to a string."""

from __future__ import annotations

import io

from rich.console import Console

from wrapper.local.pipeline import events
from wrapper.local.pipeline.run.actions import Succeeded, TaskKey
from wrapper.local.pipeline.show.board import Row
from wrapper.local.pipeline.show.live_table import LiveTable, make_table


def drawn(*rows: Row) -> list[list[str]]:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(make_table(list(rows), now=10.0, width=120))
    assert isinstance(console.file, io.StringIO)
    return [line.split() for line in console.file.getvalue().splitlines()]


def test_table_rows() -> None:
    assert drawn(
        Row("a", "a-alg", waiting=1200, running=4, done=30, failed=2, began=1.0, changed=9.0),
        Row("b", "b-alg"),
        Row("c", "c-alg", skipped=True, is_over=True),
        Row("d", "d-alg", done=1, began=1.0, changed=2.5, is_over=True),
        Row("e", "e-alg", running=1, began=8.0, progress=40),
    ) == [
        ["node", "algorithm", "waiting", "running", "done", "failed", "time"],
        ["a", "a-alg", "1,200", "4", "30", "2", "9.0", "s"],
        ["b", "b-alg"],
        ["c", "c-alg", "skipped"],
        ["d", "d-alg", "1", "1.5", "s"],
        ["e", "e-alg", "40", "%", "2.0", "s"],
    ]


def test_table_that_is_too_high_is_cut() -> None:
    lines = drawn(*(Row(f"n{number}", "alg") for number in range(100)))
    assert len(lines) < 50
    assert lines[-1] == ["and", "60", "more"]


def test_lines_go_above_the_table() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with LiveTable(console, started=0.0, clock=lambda: 1.0) as listener:
        listener(events.RunStarted(at=0, run=(), name="p", nodes=(("green", "alg"),)))
        listener(
            events.OutputLine(at=0, run=(), task=TaskKey("green"), line="[bold]as it is[/bold]")
        )
        listener(events.TaskQueued(at=0, run=(), task=TaskKey("green"), attempts=0))
        listener(events.RunEnded(at=1, run=(), outcome=Succeeded([])))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "[green] [bold]as it is[/bold]" in text
    last = text.rsplit("algorithm", 1)[1]
    assert "green" in last
    assert last.endswith("[local] done after 1.00 s\n")
