"""REDIRECT_LOGS: output is shown unchanged, and sent in lines."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue

import pytest

from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.supervisor.child.output_relay import OutputRelay

LIMIT = 10.0


class Shown:
    """Replaces stdout and stderr of this process, to see what is shown."""

    def __init__(self) -> None:
        self._saved = {fd: os.dup(fd) for fd in (1, 2)}
        self._ends: dict[int, int] = {}
        for fd in (1, 2):
            reading, writing = os.pipe()
            os.dup2(writing, fd)
            os.close(writing)
            self._ends[fd] = reading

    def read(self, fd: int, count: int) -> bytes:
        """Return the next `count` bytes."""
        data = b""
        while len(data) < count and select.select([self._ends[fd]], [], [], LIMIT)[0]:
            data += os.read(self._ends[fd], count - len(data))
        return data

    def stop_reading(self) -> None:
        for reading in self._ends.values():
            os.close(reading)
        self._ends = {}

    def restore(self) -> None:
        for fd, saved in self._saved.items():
            os.dup2(saved, fd)
            os.close(saved)
        for reading in self._ends.values():
            os.close(reading)


class Running:
    """A running relay, and the lines that it has sent."""

    def __init__(self, encoding: str = "json") -> None:
        self.relay = OutputRelay(encoding)
        self.stdout, self.stderr = self.relay.outputs
        self.messages: Queue[list[str]] = Queue()
        self._finished = False
        self.relay.start(lambda payload: self.messages.put(self._lines(payload)))

    def lines(self, count: int) -> list[str]:
        """Return the next lines, at least `count` of them."""
        lines: list[str] = []
        while len(lines) < count:
            lines += self.messages.get(timeout=LIMIT)
        return lines

    def finish(self) -> None:
        """Act as if the algorithm process had ended."""
        if not self._finished:
            self._finished = True
            self.relay.finish()

    def rest(self) -> list[str]:
        """Return what is sent when the algorithm process has ended."""
        self.finish()
        lines: list[str] = []
        try:
            while True:
                lines += self.messages.get_nowait()
        except Empty:
            return lines

    @staticmethod
    def _lines(payload: bytes) -> list[str]:
        message = json.loads(payload)
        assert message["command"] == "logData"
        lines = message["data"]
        assert isinstance(lines, list)
        return lines


@contextmanager
def relaying() -> Iterator[tuple[Shown, Running]]:
    """Not a fixture, because pytest replaces stdout and stderr again before the test."""
    shown = Shown()
    running = Running()
    try:
        yield shown, running
        running.finish()
    finally:
        shown.restore()


def test_output_is_shown_where_it_would_have_gone() -> None:
    with relaying() as (shown, running):
        os.write(running.stdout, b"out \xff\n")
        os.write(running.stderr, b"no end")

        assert shown.read(1, 6) == b"out \xff\n"
        assert shown.read(2, 6) == b"no end"


def test_whole_lines_are_sent_in_order() -> None:
    with relaying() as (_, running):
        os.write(running.stdout, b"one\ntwo\nthr")
        os.write(running.stdout, b"ee\r\n\n")

        assert running.lines(4) == ["one", "two", "three", ""]


def test_invalid_text_is_sent_with_replacements() -> None:
    with relaying() as (_, running):
        os.write(running.stdout, b"caf\xc3\xa9 \xff\n")

        assert running.lines(1) == ["café \ufffd"]


def test_character_split_over_two_reads_is_decoded() -> None:
    with relaying() as (_, running):
        os.write(running.stdout, b"caf\xc3")
        os.write(running.stdout, b"\xa9\n")

        assert running.lines(1) == ["café"]


def test_last_line_needs_no_line_end() -> None:
    with relaying() as (_, running):
        os.write(running.stdout, b"first\nthe end")

        assert running.rest() == ["first", "the end"]


def test_lines_of_both_streams_do_not_mix() -> None:
    with relaying() as (_, running):
        os.write(running.stdout, b"half of ")
        os.write(running.stderr, b"error\n")
        assert running.lines(1) == ["error"]

        os.write(running.stdout, b"a line\n")
        assert running.lines(1) == ["half of a line"]


def test_burst_of_lines_shares_messages() -> None:
    with relaying() as (_, running):
        os.write(running.stdout, b"line\n" * 100)

        assert len(running.messages.get(timeout=LIMIT)) == 100


def test_continuous_output_is_not_delayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wrapper.supervisor.child.output_relay._MAX_LINES", 10**9)
    with relaying() as (shown, running):
        deadline = time.monotonic() + LIMIT
        while running.messages.empty():
            assert time.monotonic() < deadline, "nothing was sent"
            os.write(running.stdout, b"line\n")
            shown.read(1, 5)

        assert running.lines(1)[0] == "line"


def test_output_without_line_ends_uses_limited_memory() -> None:
    """A progress bar writes carriage returns for hours and never finishes its line."""
    with relaying() as (shown, running):
        written = 0
        while running.messages.empty():
            assert written < 5_000_000, "nothing was sent"
            os.write(running.stderr, b"\r 42%" * 1000)
            written += len(shown.read(2, 5000))

        assert "42%" in running.lines(1)[0]


def test_flood_arrives_completely() -> None:
    with relaying() as (shown, running):
        lines = [b"%06d" % number for number in range(30_000)]
        data = b"\n".join(lines) + b"\n"
        rest = memoryview(data)
        seen = b""
        while rest:
            rest = rest[os.write(running.stdout, rest[:4096]) :]
            seen += shown.read(1, len(data) - len(rest) - len(seen))

        assert seen == data
        assert running.rest() == [line.decode() for line in lines]


def test_closed_output_does_not_stop_the_relay() -> None:
    with relaying() as (shown, running):
        shown.stop_reading()
        os.write(running.stdout, b"still sent\n")

        assert running.lines(1) == ["still sent"]


def test_end_is_not_awaited_for_ever_while_the_pipe_is_held() -> None:
    with relaying() as (_, running):
        held = os.dup(running.stdout)
        try:
            os.write(running.stdout, b"line\n")
            begun = time.monotonic()
            running.finish()
            assert time.monotonic() - begun < LIMIT
            assert running.lines(1) == ["line"]
        finally:
            os.close(held)


@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
def test_other_encodings(encoding: str) -> None:
    relay = OutputRelay(encoding)
    sent: list[bytes] = []
    relay.start(sent.append)
    os.write(relay.outputs[0], b"line\n")
    relay.finish()

    assert get_encoding(encoding).decode(sent[0]) == {"command": "logData", "data": ["line"]}
