"""Shows pipeline runs as a live table, with messages above it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .. import events
from .board import Row
from .lines import PipelineLines

REFRESHES_PER_SECOND = 8
_MOST_ROWS = 40
"""A table higher than the terminal cannot be updated in place."""


@final
class LiveTable:
    """A listener that shows a table on a terminal while its context is open."""

    def __init__(
        self, console: Console, started: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Create it.

        Args:
            console: the terminal.
            started: when the command began, in seconds on the clock.
            clock: the engine's clock.
        """
        self._clock = clock
        self._end: events.RunEnded | None = None
        self._lines = PipelineLines(self._write, started, brief=True)
        self._live = Live(
            console=console,
            get_renderable=self._table,
            refresh_per_second=REFRESHES_PER_SECOND,
            redirect_stdout=False,  # stdout is for the result
            redirect_stderr=False,
        )

    def __enter__(self) -> LiveTable:
        self._live.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._live.__exit__(None, None, None)
        if self._end is not None:
            self._lines(self._end)  # the outcome goes below the table

    def __call__(self, event: events.PipelineEvent) -> None:
        """Show an event."""
        if isinstance(event, events.RunEnded) and not event.run:
            self._end = event
        else:
            self._lines(event)

    def say(self, text: str) -> None:
        """Write a message of the command above the table."""
        self._lines.say(text)

    def _write(self, line: str) -> None:
        self._live.console.print(Text.from_ansi(line), soft_wrap=True)

    def _table(self) -> Table:
        return make_table(self._lines.board.rows, self._clock())


def make_table(rows: list[Row], now: float) -> Table:
    """Return the table of all nodes."""
    table = Table(box=None, pad_edge=False)
    for title in ("node", "algorithm"):
        table.add_column(title, overflow="fold")
    for title in ("waiting", "running", "done", "failed", "time"):
        table.add_column(title, justify="right")
    for row in rows[:_MOST_ROWS]:
        table.add_row(*_cells(row, now), style=_style(row))
    if len(rows) > _MOST_ROWS:
        table.add_row(f"and {len(rows) - _MOST_ROWS} more")
    return table


def _cells(row: Row, now: float) -> list[str]:
    seconds = row.seconds(now)
    running = f"{row.running:,}" if row.running else ""
    if running and row.progress is not None and row.total == 1:
        running = f"{str(row.progress)[:12]} %"
    done = "skipped" if row.skipped else f"{row.done:,}" if row.done else ""
    return [
        row.label,
        row.algorithm,
        f"{row.waiting:,}" if row.waiting else "",
        running,
        done,
        f"{row.failed:,}" if row.failed else "",
        "" if seconds is None else f"{seconds:.1f} s",
    ]


def _style(row: Row) -> str:
    if row.failed:
        return "red"
    if row.running:
        return "bold"
    return "green" if row.is_over else "dim"
