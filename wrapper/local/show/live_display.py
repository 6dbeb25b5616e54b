"""Writes lines on a terminal, and redraws something live below them, from a thread."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from enum import Enum
from typing import final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

_TICK = 0.1
"""Seconds between two drawings of the live part."""
_PAUSE = 0.05
"""Seconds between two writes of lines: lines that arrive meanwhile are written together."""
_MOST_PENDING = 64 * 1024 * 1024
"""Characters that may wait for the terminal, which may be stopped by Ctrl-S."""

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # such as colours and cursor movements
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # such as titles
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0a-\x1f\x7f-\x9f]"
)
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


class _Switch(Enum):
    SHOW = True
    HIDE = False


@final
class LiveDisplay:
    """A terminal with a part that is redrawn, below lines that stay.

    Thread-safe. Nobody but `flush` and `close` waits for the terminal.
    """

    def __init__(
        self, console: Console, live_part: Callable[[], RenderableType], stays: bool = False
    ) -> None:
        """Prepare a display; its thread starts with the first use.

        Args:
            console: the terminal.
            live_part: returns the live part as it is now; called from the display's thread.
            stays: leave the live part on the terminal when it is hidden.
        """
        self._console = console
        self._live_part = live_part
        self._stays = stays
        self._live: Live | None = None
        self._changed = threading.Condition()
        self._queue: list[str | Text | _Switch] = []
        self._pending = 0
        self._queued = 0
        self._drawn = 0
        self._waiting = 0
        self._is_closing = False
        self._is_broken = False
        self._thread: threading.Thread | None = None

    def line(self, text: Text) -> None:
        """Write a line, or several."""
        self._put(text, len(text))

    def output(self, lines: Sequence[str]) -> None:
        """Write lines of a program: colours are kept, other control characters are removed."""
        colours = not self._console.no_color
        text = "".join(f"{printable(line, colours)}\n" for line in lines)
        self._put(text, len(text))

    def show(self) -> None:
        """Show the live part."""
        self._put(_Switch.SHOW)

    def hide(self) -> None:
        """Remove the live part."""
        self._put(_Switch.HIDE)

    def flush(self) -> None:
        """Wait until everything so far is on the terminal."""
        with self._changed:
            target = self._queued
            self._waiting += 1
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: self._drawn >= target or self._is_broken)
            finally:
                self._waiting -= 1

    def close(self) -> None:
        """Remove the live part, flush, and end the thread; a later use starts another one."""
        thread = self._thread
        if thread is None:
            return
        self.hide()
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        thread.join()
        self._thread, self._is_closing = None, False

    def _put(self, item: str | Text | _Switch, size: int = 0) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._pending < _MOST_PENDING or self._is_broken)
            if self._is_broken:
                return
            self._queue.append(item)
            self._queued += 1
            self._pending += size
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="display", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            while self._draw_next():
                with self._changed:
                    self._changed.wait_for(lambda: self._waiting or self._is_closing, _PAUSE)
        except OSError:  # the terminal is gone
            with self._changed:
                self._is_broken = True
                self._changed.notify_all()

    def _draw_next(self) -> bool:
        """Draw what has been queued, or the live part again; False once all is done."""
        with self._changed:
            tick = None if self._live is None else _TICK
            self._changed.wait_for(lambda: self._queue or self._is_closing, tick)
            items, self._queue, self._pending = self._queue, [], 0
            if not items and self._is_closing:
                return False
        self._draw(items)
        with self._changed:
            self._drawn += len(items)
            self._changed.notify_all()
        return True

    def _draw(self, items: list[str | Text | _Switch]) -> None:
        if not items and self._live is not None:
            self._live.refresh()
        lines: list[RenderableType] = []
        for item in items:
            match item:
                case _Switch():
                    self._print(lines)
                    lines = []
                    self._switch(item)
                case str():
                    lines.append(_RawText(item))
                case Text():
                    lines.append(item)
        self._print(lines)

    def _print(self, lines: list[RenderableType]) -> None:
        if lines:  # in one piece: the live part is drawn once
            self._console.print(Group(*lines), soft_wrap=True)

    def _switch(self, switch: _Switch) -> None:
        if switch is _Switch.SHOW and self._live is None:
            self._live = Live(
                console=self._console,
                get_renderable=self._live_part,
                auto_refresh=False,
                transient=not self._stays,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start(refresh=True)
        elif switch is _Switch.HIDE and self._live is not None:
            self._live.stop()
            self._live = None


class _RawText:
    """Text that is written as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Segment(self._text)


def printable(line: str, colours: bool = True) -> str:
    """Return a line without control characters, which could move the cursor.

    Args:
        line: the line, without its end.
        colours: keep sequences that set colours.
    """
    if not _CONTROL.search(line):
        return line
    has_colour = False

    def replace(found: re.Match[str]) -> str:
        nonlocal has_colour
        if not (colours and _COLOUR.fullmatch(found[0])):
            return ""
        has_colour = True
        return found[0]

    text = _CONTROL.sub(replace, line)
    return f"{text}\x1b[0m" if has_colour else text
