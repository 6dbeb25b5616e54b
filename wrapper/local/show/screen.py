"""Shows lines on stderr, and a live progress bar below them."""

from __future__ import annotations

from threading import Lock
from typing import TextIO, final

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text


@final
class Screen:
    """Shows lines, and a progress bar if `stream` is a terminal.

    Thread-safe. Anything but a terminal gets the lines only, unwrapped and without colour.
    """

    def __init__(self, stream: TextIO, bar: bool = True) -> None:
        """Prepare a screen.

        Args:
            stream: where the lines go.
            bar: False: show no bar, because user code may read from the terminal.
        """
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self.has_bar = bar and stream.isatty() and not self._console.is_dumb_terminal
        self._bar: Progress | None = None
        self._row = TaskID(0)
        self._lock = Lock()  # rich allows one live display per console

    def line(self, text: str, style: str = "") -> None:
        """Show one or more lines.

        Args:
            text: the lines; control characters in them have no effect.
            style: a style of rich, such as `red`, `dim` or `bold`.
        """
        self._console.print(Text(text, style), soft_wrap=True)

    def output(self, line: str) -> None:
        """Show a line of the algorithm's own output, with its colours."""
        self._console.print(Text.from_ansi(line), soft_wrap=True)

    def bar(self, text: str, percent: float | None = None) -> None:
        """Show the bar, or change it.

        Args:
            text: shown before the bar.
            percent: 0 to 100; None if it is not known.
        """
        if not self.has_bar:
            return
        known = percent is not None
        shown = f"{percent:.0f} %" if known else ""
        with self._lock:
            if self._bar is None:
                self._bar = _make_bar(self._console)
                self._row = self._bar.add_task(text, total=None, percent="")
                self._bar.start()
            self._bar.update(
                self._row,
                description=text,
                total=100 if known else None,
                completed=percent or 0,
                percent=shown,
            )

    def no_bar(self) -> None:
        """Remove the bar."""
        with self._lock:
            if self._bar is not None:
                self._bar.stop()
                self._bar = None


def _make_bar(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[percent]}", markup=False),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
