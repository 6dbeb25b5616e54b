"""The live table of a streaming pipeline."""

from __future__ import annotations

import io

from rich.console import Console

from wrapper.local.pipeline.show.stream_table import (
    StreamTable,
    node_table,
    stream_table,
)
from wrapper.local.pipeline.streaming.actions import EndStream
from wrapper.local.pipeline.streaming.edge_statistics import EdgeState
from wrapper.local.pipeline.streaming.node_load import NodeLoad

BUSY = EdgeState(("A", "B"), 1234.4, 5, 6, 7000, 1, 2, (0.5, 12.4), (3.0, 1500.0))


def shown(table: object) -> str:
    console = Console(file=io.StringIO(), width=150)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_row_has_everything_about_an_edge() -> None:
    head, row = shown(stream_table([BUSY], {"B": 2})).splitlines()
    assert head.split()[:4] == ["messages", "pods", "per", "s"]
    assert row.split() == [
        *("A", ">>", "B", "2", "1,234", "5", "6", "7,000", "1", "2"),
        *("0.5", "ms", "/", "12", "ms", "3.0", "ms", "/", "1,500", "ms"),
    ]


def test_a_long_table_is_cut() -> None:
    assert "and 70 more" in shown(stream_table([BUSY] * 100, {}))


def test_row_of_a_node_has_its_load() -> None:
    head, row = shown(node_table({"A": NodeLoad(1.254, 45_300_000)}, {"A": 2})).splitlines()
    assert head.split() == ["node", "pods", "CPU", "memory"]
    assert row.split() == ["A", "2", "125%", "45", "MB"]


def test_nodes_with_most_memory_are_shown_in_their_order() -> None:
    loads = {f"n{number}": NodeLoad(0.0, number * 1_000_000) for number in range(100)}
    rows = shown(node_table(loads, {})).splitlines()[1:]
    assert [row.split()[0] for row in rows] == [f"n{number}" for number in range(90, 100)]


def test_the_outcome_is_below_the_table() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=150)
    with StreamTable(console, lambda node, message: None, 0.0) as table:
        table.edges([BUSY], {}, 1.0)
        table.loads({"A": NodeLoad(0.5, 7_000_000)})
        table.line("A", "a line")
        table.ended(EndStream("Ctrl-C", False), [BUSY], 2.0)
    text = output.getvalue()
    assert "[A] a line" in text
    assert "7 MB" in text
    assert text.rstrip().endswith("ended after 2.00 s: Ctrl-C")
