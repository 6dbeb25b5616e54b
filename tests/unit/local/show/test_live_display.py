"""Lines above a live part, drawn by a thread."""

from __future__ import annotations

import io
import threading

import pytest
from rich.console import Console
from rich.text import Text

from tests.terminals import visible_lines
from wrapper.local.show.live_display import LiveDisplay, printable


def display_on(stream: io.StringIO, stays: bool = False) -> LiveDisplay:
    console = Console(file=stream, width=40, force_terminal=True, color_system=None)
    return LiveDisplay(console, lambda: Text("live part"), stays)


@pytest.mark.parametrize("stays", [False, True])
def test_lines_stay_above_the_live_part(stays: bool) -> None:
    stream = io.StringIO()
    display = display_on(stream, stays)
    display.show()
    display.output(["one", "two"])
    display.line(Text("three"))
    display.flush()
    assert visible_lines(stream.getvalue()) == ["one", "two", "three", "live part"]
    display.hide()
    display.line(Text("four"))
    display.close()
    live = ["live part"] if stays else []
    assert visible_lines(stream.getvalue()) == ["one", "two", "three", *live, "four"]


def test_live_part_is_drawn_again_without_lines() -> None:
    drawn = threading.Semaphore(0)

    def draw() -> Text:
        drawn.release()
        return Text("live part")

    display = LiveDisplay(Console(file=io.StringIO(), force_terminal=True), draw)
    display.show()
    for _ in range(4):
        assert drawn.acquire(timeout=30)
    display.close()


def test_display_can_be_used_again_after_close() -> None:
    stream = io.StringIO()
    display = display_on(stream)
    display.output(["one"])
    display.close()
    display.close()
    display.output(["two"])
    display.close()
    assert visible_lines(stream.getvalue()) == ["one", "two"]


def test_nobody_waits_for_a_terminal_that_is_gone() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("gone")

    display = display_on(Gone())
    display.output(["one"])
    display.flush()
    display.output(["two"])
    display.close()


def test_writer_does_not_wait_for_the_terminal() -> None:
    may_write, has_begun = threading.Event(), threading.Event()

    class Slow(io.StringIO):
        def write(self, text: str) -> int:
            has_begun.set()
            may_write.wait(30)
            return super().write(text)

    stream = Slow()
    display = display_on(stream)
    display.output(["0"])
    assert has_begun.wait(30)
    for number in range(1, 1000):
        display.output([str(number)])
    may_write.set()
    display.close()
    assert visible_lines(stream.getvalue()) == [str(number) for number in range(1000)]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain\tä", "plain\tä"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m\x1b[0m"),
        ("up\x1b[1A\x1b[2Kgone", "upgone"),
        ("title\x1b]0;name\x07 and\x1b]8;;url\x1b\\ link", "title and link"),
        ("bell\x07\x08\x7f\x9b1A", "bell1A"),
        ("reset\x1bc\x1b", "reset"),
    ],
)
def test_control_characters_are_removed(line: str, shown: str) -> None:
    assert printable(line) == shown


def test_colours_are_removed_on_request() -> None:
    assert printable("\x1b[31mred\x1b[0m", colours=False) == "red"
