"""Shows a streaming pipeline as a live table of its edges, with messages above it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ...worker import events
from ..streaming.actions import EndStream
from ..streaming.edge_statistics import EdgeState
from ..streaming.node_load import NodeLoad
from .stream_lines import StreamLines, milliseconds

_MOST_ROWS = 30
_MOST_NODES = 10
"""Tables higher than the terminal cannot be updated in place."""


@final
class StreamTable:
    """Shows a table on a terminal while its context is open.

    Args:
        console: the terminal.
        write_message: writes a message that left the pipeline.
        started: when the command began, in seconds on the engine's clock.
    """

    def __init__(
        self, console: Console, write_message: Callable[[str, Any], None], started: float
    ) -> None:
        self._lines = StreamLines(self.write, write_message, started, brief=True)
        self._states: list[EdgeState] = []
        self._pods: Mapping[str, int] = {}
        self._loads: Mapping[str, NodeLoad] = {}
        self._end: tuple[EndStream, list[EdgeState], float] | None = None
        self._live = Live(
            console=console,
            get_renderable=self._tables,
            refresh_per_second=4,
            redirect_stdout=False,  # stdout is for the messages
            redirect_stderr=False,
        )

    def __enter__(self) -> StreamTable:
        self._live.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._live.__exit__(None, None, None)
        if self._end is not None:
            self._lines.ended(*self._end)  # below the table

    def line(self, node: str, line: str) -> None:
        """Show a line that a node's algorithm wrote."""
        self._lines.line(node, line)

    def say(self, text: str) -> None:
        """Show a message of the command."""
        self._lines.say(text)

    def failed(self, node: str, outcome: events.Failed | events.Lost) -> None:
        """Show why a node's task failed."""
        self._lines.failed(node, outcome)

    def message(self, node: str, message: Any) -> None:
        """Show a message that left the pipeline."""
        self._lines.message(node, message)

    def edges(self, states: list[EdgeState], pods: Mapping[str, int], now: float) -> None:
        """Show what happens on the edges."""
        self._states, self._pods = states, pods

    def loads(self, loads: Mapping[str, NodeLoad]) -> None:
        """Show what the nodes use."""
        self._loads = loads

    def ended(self, end: EndStream, states: list[EdgeState], now: float) -> None:
        """Show how the run ended, once the table is closed."""
        self._states = states
        self._end = (end, states, now)

    def _tables(self) -> Group:
        nodes = node_table(self._loads, self._pods)
        return Group(stream_table(self._states, self._pods), "", nodes)

    def write(self, line: str) -> None:
        """Show a line above the table."""
        self._live.console.print(Text.from_ansi(line), soft_wrap=True)


def stream_table(states: list[EdgeState], pods: Mapping[str, int]) -> Table:
    """Return the table of all edges."""
    table = Table(box=None, pad_edge=False)
    table.add_column("messages", overflow="fold")
    numbers = ("pods", "per s", "queue", "in flight", "handled", "dropped", "redelivered")
    for title in (*numbers, "waiting p50 / p99", "handling p50 / p99"):
        table.add_column(title, justify="right")
    for state in states[:_MOST_ROWS]:
        table.add_row(*_cells(state, pods.get(state.edge[1], 0)), style=_style(state))
    if len(states) > _MOST_ROWS:
        table.add_row(f"and {len(states) - _MOST_ROWS} more")
    return table


def node_table(loads: Mapping[str, NodeLoad], pods: Mapping[str, int]) -> Table:
    """Return the table of the nodes that use most memory."""
    table = Table(box=None, pad_edge=False)
    table.add_column("node", overflow="fold")
    for title in ("pods", "CPU", "memory"):
        table.add_column(title, justify="right")
    shown = sorted(loads, key=lambda node: -loads[node].memory)[:_MOST_NODES]
    for node, load in loads.items():
        if node in shown:
            memory = f"{load.memory / 1_000_000:,.0f} MB"
            table.add_row(node, str(pods.get(node, 0)), f"{load.cpu:.0%}", memory)
    return table


def _cells(state: EdgeState, pods: int) -> list[str]:
    return [
        " >> ".join(state.edge),
        str(pods),
        f"{state.rate:,.0f}",
        f"{state.queue:,}",
        f"{state.in_flight:,}",
        f"{state.handled:,}",
        f"{state.dropped:,}" if state.dropped else "",
        f"{state.redelivered:,}" if state.redelivered else "",
        _times(state.waiting),
        _times(state.handling),
    ]


def _times(times: tuple[float, float] | None) -> str:
    return "" if times is None else f"{milliseconds(times[0])} / {milliseconds(times[1])}"


def _style(state: EdgeState) -> str:
    if state.dropped:
        return "red"
    return "bold" if state.rate else "dim" if not state.handled else ""
