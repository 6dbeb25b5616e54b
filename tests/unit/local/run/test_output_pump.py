"""Cutting a container's output into lines."""

from __future__ import annotations

import os
import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.local.run import output_pump
from wrapper.local.run.output_pump import LineSplitter, OutputPipe, OutputPump

TEXT = st.text(st.sampled_from("ab\r\nä€"), max_size=40)


def test_lines_end_with_lf_or_cr_lf() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a\nb\r\nc") == ["a", "b"]
    assert splitter.unfinished == "c"
    assert splitter.feed(b"\n\n") == ["c", ""]
    assert splitter.end() == []


def test_overwritten_text_is_not_a_line() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"\r10%") == []
    assert splitter.unfinished == "10%"
    assert splitter.feed(b"\r20%\r") == []
    assert splitter.unfinished == "20%"
    assert splitter.feed(b"100%\nend") == ["100%"]
    assert splitter.end() == ["end"]


def test_unfinished_line_is_passed_on_at_the_end() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"x" * (output_pump._LONGEST_LINE + 1)) == [
        "x" * (output_pump._LONGEST_LINE + 1)
    ]
    assert splitter.end() == []


def test_invalid_utf8_is_replaced() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a\xff\n\xc3") == ["a\ufffd"]
    assert splitter.end() == ["\ufffd"]


@given(TEXT, st.lists(st.integers(0, 80)))
def test_pieces_do_not_change_the_lines(text: str, cuts: list[int]) -> None:
    data = text.encode()
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    splitter, whole = LineSplitter(), LineSplitter()
    lines = [line for start, stop in pairwise(places) for line in splitter.feed(data[start:stop])]
    expected = whole.feed(data)
    assert [*lines, *splitter.end()] == [*expected, *whole.end()]
    assert len(expected) == text.count("\n")


def test_pump_passes_everything_on_before_it_ends() -> None:
    lines: list[str] = []
    is_unfinished = threading.Event()

    def note(text: str) -> None:
        if text == "and the rest":
            is_unfinished.set()

    with OutputPump(lines.extend, note, timeout=30) as pump:
        for number in range(3000):
            os.write(pump.fd, f"line {number}\n".encode())
        os.write(pump.fd, b"and the rest")
        assert is_unfinished.wait(30)
    assert lines == [f"line {number}" for number in range(3000)] + ["and the rest"]


def test_process_that_keeps_the_pipe_does_not_delay_the_end() -> None:
    lines: list[str] = []
    with OutputPump(lines.extend, timeout=0) as pump:
        left = os.dup(pump.fd)
    os.close(left)


def test_pipe_made_before_its_pump_loses_nothing() -> None:
    lines: list[str] = []
    with OutputPipe() as pipe:
        os.write(pipe.fd, b"before\n")
        with OutputPump(lines.extend, timeout=30, pipe=pipe) as pump:
            os.write(pump.fd, b"after\n")
    assert lines == ["before", "after"]


def test_pipe_without_a_pump_is_closed() -> None:
    with OutputPipe() as pipe:
        pass
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(pipe.fd)
