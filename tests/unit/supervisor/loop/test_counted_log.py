"""One line in ten seconds for what happens often."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from wrapper.log import Log
from wrapper.supervisor.loop.counted_log import EVERY, CountedLog


class Counting:
    """A counted log whose clock the test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self._fd = os.memfd_create("log")
        self.counted = CountedLog(Log("info", "short", self._fd), lambda: self.now)

    @property
    def lines(self) -> list[str]:
        return os.pread(self._fd, 1 << 20, 0).decode().splitlines()

    def close(self) -> None:
        os.close(self._fd)


@pytest.fixture
def counting() -> Iterator[Counting]:
    counting = Counting()
    yield counting
    counting.close()


def test_a_single_message_is_logged_at_once(counting: Counting) -> None:
    counting.counted.add("warning", "ignored 1")
    assert counting.lines == ["[wrapper] warning: ignored 1"]
    counting.counted.tick(EVERY)
    assert len(counting.lines) == 1
    assert counting.counted.deadline() is None


def test_a_flood_is_one_line_in_ten_seconds(counting: Counting) -> None:
    for number in range(1_000_000):
        counting.counted.add("warning", f"ignored {number}")
    assert len(counting.lines) == 1
    assert counting.counted.deadline() == EVERY

    counting.counted.tick(EVERY - 0.1)
    assert len(counting.lines) == 1
    counting.counted.tick(EVERY)
    assert counting.lines[1] == (
        "[wrapper] warning: ignored 999999 (999,999 dropped or ignored in 10 s)"
    )
    counting.counted.add("warning", "again")
    assert len(counting.lines) == 2, "the next ten seconds have begun"


def test_levels_are_counted_apart(counting: Counting) -> None:
    counting.counted.add("debug", "a detail")
    counting.counted.add("warning", "a warning")
    assert counting.lines == ["[wrapper] warning: a warning"]


def test_the_rest_is_written_at_the_end(counting: Counting) -> None:
    for text in ("first", "second"):
        counting.counted.add("warning", text)
    counting.counted.finish()
    assert counting.lines == ["[wrapper] warning: first", "[wrapper] warning: second"]
    assert counting.counted.deadline() is None
