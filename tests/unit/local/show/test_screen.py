"""Lines and a progress bar, on a terminal and elsewhere."""

from __future__ import annotations

import io
import os
import pty
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest
from rich.console import Console
from rich.progress import Progress

from wrapper.local.show import screen as screen_module
from wrapper.local.show.screen import Screen


class Terminal:
    """A pseudo-terminal that records what is written to it."""

    def __init__(self) -> None:
        self._reader, writer = pty.openpty()
        self.stream: TextIO = os.fdopen(writer, "w")

    def text(self) -> str:
        self.stream.flush()
        os.set_blocking(self._reader, False)
        pieces = []
        try:
            while piece := os.read(self._reader, 65536):
                pieces.append(piece)
        except BlockingIOError:
            pass
        return b"".join(pieces).decode()

    def close(self) -> None:
        self.stream.close()
        os.close(self._reader)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    opened = Terminal()
    yield opened
    opened.close()


def test_plain_stream_gets_unwrapped_lines() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    assert not screen.has_bar
    screen.line("x" * 300 + " [red]:smile: 5", "bold red")
    screen.bar("working", 50)
    screen.output("plain \x1b[31mred\x1b[0m")
    screen.no_bar()
    assert stream.getvalue() == "x" * 300 + " [red]:smile: 5\nplain red\n"


def test_terminal_gets_colours_and_a_bar(terminal: Terminal) -> None:
    screen = Screen(terminal.stream)
    assert screen.has_bar
    screen.bar("alg [x]", None)
    screen.bar("alg [x]", 50)
    screen.line("a line", "red")
    screen.output("own \x1b[32mgreen\x1b[0m")
    screen.no_bar()
    text = terminal.text()
    assert "\x1b[31ma line\x1b[0m" in text
    assert "\x1b[32mgreen\x1b[0m" in text
    assert "alg [x]" in text and "50 %" in text


def test_concurrent_threads_share_one_bar(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make_bar = screen_module._make_bar
    others: list[threading.Thread] = []

    def make(console: Console) -> Progress:
        made.append("bar")
        if len(made) == 1:
            other = threading.Thread(target=screen.bar, args=("other",))
            others.append(other)
            other.start()
            # With a lock the other thread waits; without one it arrives immediately.
            other.join(0.2)
        return make_bar(console)

    monkeypatch.setattr(screen_module, "_make_bar", make)
    screen = Screen(terminal.stream)
    screen.bar("one")
    others[0].join()
    screen.no_bar()
    assert made == ["bar"]


def test_terminal_used_for_input_gets_no_bar(terminal: Terminal) -> None:
    screen = Screen(terminal.stream, bar=False)
    screen.bar("working", 50)
    assert not screen.has_bar
    assert "working" not in terminal.text()


def test_dumb_terminal_gets_no_bar(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert not Screen(terminal.stream).has_bar


def test_text_that_stderr_cannot_encode(tmp_path: Path) -> None:
    with open(tmp_path / "log", "w", encoding="ascii", errors="backslashreplace") as stream:
        Screen(stream).line("├─ ä")
    assert (tmp_path / "log").read_text() == "\\u251c\\u2500 \\xe4\n"
