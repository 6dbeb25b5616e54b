"""Shows lines on stderr, and a live progress bar below them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from threading import Lock
from typing import TextIO, final

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from .live_display import LiveDisplay

_WIDEST_BAR = 30


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
        self._stream = stream
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self.has_bar = bar and stream.isatty() and not self._console.is_dumb_terminal
        self._bar = _Bar()
        self._display = LiveDisplay(self._console, self._draw_bar) if self.has_bar else None
        self._is_shown = False
        self._lock = Lock()

    def line(self, text: str, style: str = "") -> None:
        """Show one or more lines.

        Args:
            text: the lines; control characters in them have no effect.
            style: a style of rich, such as `red`, `dim` or `bold`.
        """
        line = Text(text, style)
        if self._display is not None:
            self._display.line(line)
            return
        with self._lock:
            self._console.print(line, soft_wrap=True)

    def output(self, lines: Sequence[str]) -> None:
        """Show lines of the algorithm's own output.

        A terminal gets their colours only. Anything else gets them unchanged; bytes that are not
        UTF-8 are expected as `surrogateescape` decodes them.
        """
        if self._display is not None:
            self._display.output(lines)
            return
        with self._lock, suppress(OSError):  # without a reader, the algorithm still runs
            self._write("".join(f"{line}\n" for line in lines))

    def bar(self, text: str, percent: float | None = None) -> None:
        """Show the bar, or change it.

        Args:
            text: shown before the bar.
            percent: 0 to 100; None if it is not known.
        """
        if self._display is None:
            return
        with self._lock:
            self._bar.text, self._bar.percent = text, percent
            if not self._is_shown:
                self._is_shown = True
                self._bar.began = time.monotonic()
                self._display.show()

    def no_bar(self) -> None:
        """Remove the bar."""
        with self._lock:
            if self._display is not None and self._is_shown:
                self._is_shown = False
                self._display.hide()

    def flush(self) -> None:
        """Wait until everything so far is on the terminal."""
        if self._display is not None:
            self._display.flush()

    def close(self) -> None:
        """Remove the bar and show all lines."""
        self.no_bar()
        if self._display is not None:
            self._display.close()

    def _draw_bar(self) -> Table:
        return self._bar.draw(self._console.width)

    def _write(self, text: str) -> None:
        buffer = getattr(self._stream, "buffer", None)
        if buffer is None:
            self._stream.write(text)
            return
        self._stream.flush()
        buffer.write(text.encode("utf-8", "surrogateescape"))
        buffer.flush()


class _Bar:
    """A line: what runs, how far it is, and for how long it has run."""

    def __init__(self) -> None:
        self.text = ""
        self.percent: float | None = None
        self.began = 0.0
        self._spinner = Spinner("dots")

    def draw(self, width: int) -> Table:
        """Return the line for a terminal of a given width; a long text is shortened."""
        is_known = self.percent is not None
        percent = f"{self.percent:.0f} %" if is_known else ""
        seconds = str(timedelta(seconds=int(time.monotonic() - self.began)))
        bar_width = min(_WIDEST_BAR, width // 3)
        others = [bar_width, len(percent), len(seconds)]
        text = Text(self.text, no_wrap=True)
        text.truncate(max(1, width - 2 - sum(others) - 4), overflow="ellipsis")
        grid = Table.grid(padding=(0, 1))
        grid.add_row(
            self._spinner,
            text,
            ProgressBar(100, self.percent or 0, bar_width, pulse=not is_known),
            Text(percent, "magenta", no_wrap=True),
            Text(seconds, "yellow", no_wrap=True),
        )
        return grid
