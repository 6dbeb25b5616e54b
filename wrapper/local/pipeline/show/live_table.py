"""Shows pipeline runs as a live table, with messages above it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...show.live_display import LiveDisplay
from .. import events
from .board import Row
from .lines import PipelineLines

_MOST_ROWS = 40
"""A table higher than the terminal cannot be updated in place."""

_WIDE = 72
"""Columns of a terminal from which the table shows the algorithms, and headings in full."""
_TITLES = ("waiting", "running", "done", "failed", "time")
_SHORT_TITLES = ("wait", "run", "done", "fail", "time")


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
        self._console = console
        self._clock = clock
        self._end: events.RunEnded | None = None
        self._lines = PipelineLines(self._write, started, brief=True)
        self._display = LiveDisplay(console, self._table, stays=True)

    def __enter__(self) -> LiveTable:
        self._display.show()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._display.hide()
        if self._end is not None:
            self._lines(self._end)  # the outcome goes below the table
        self._display.close()

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
        self._display.output([line])

    def _table(self) -> Table:
        return make_table(self._lines.board.rows, self._clock(), self._console.width)


def make_table(rows: Sequence[Row], now: float, width: int) -> Table:
    """Return the table of all nodes; a narrow terminal gets short names and fewer columns."""
    is_wide = width >= _WIDE
    shown = rows[:_MOST_ROWS]
    cells = [_cells(row, now) for row in shown]
    titles = _TITLES if is_wide else _SHORT_TITLES
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    left = max(4, width - sum(widths) - len(widths))
    names = [row.label for row in shown]
    more = f"and {len(rows) - _MOST_ROWS} more" if len(rows) > _MOST_ROWS else ""
    columns = [("node", [*names, more])]
    if is_wide:
        columns.append(("algorithm", [row.algorithm for row in shown]))
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for title, column_width in zip(
        (title for title, _ in columns),
        _share(left, [max(map(len, [title, *texts])) for title, texts in columns]),
        strict=True,
    ):
        table.add_column(title, no_wrap=True, overflow="ellipsis", width=column_width)
    for title, column_width in zip(titles, widths, strict=True):
        table.add_column(title, justify="right", no_wrap=True, width=column_width)
    for row, numbers in zip(shown, cells, strict=True):
        texts = [row.label, row.algorithm] if is_wide else [row.label]
        table.add_row(*map(Text, texts), *numbers, style=_style(row))
    if more:
        table.add_row(more)
    return table


def _share(width: int, wanted: Sequence[int]) -> list[int]:
    """Return the widths of the columns of names: what they want, or a share of what there is."""
    if len(wanted) == 1:
        return [min(width, wanted[0])]
    width -= 1  # between them
    first, second = wanted
    if first + second > width:
        half = width // 2
        first, second = (
            (first, width - first)
            if first <= half
            else (width - second, second)
            if second <= half
            else (width - half, half)
        )
    return [first, second]


def _cells(row: Row, now: float) -> list[str]:
    seconds = row.seconds(now)
    running = f"{row.running:,}" if row.running else ""
    if running and row.progress is not None and row.total == 1:
        running = f"{str(row.progress)[:12]} %"
    elif row.stopped and not row.running:
        running = f"{row.stopped:,} stopped" if row.stopped > 1 else "stopped"
    done = "skipped" if row.skipped else f"{row.done:,}" if row.done else ""
    return [
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
    if row.stopped:
        return "yellow"
    return "green" if row.is_over else "dim"
