"""The algorithm side in the loop: what arrives, how it ends, how it is replaced."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.support.peer import LIMIT
from tests.unit.support.stage import Side
from wrapper.ipc.frames import Frame, FrameKind
from wrapper.log import Log
from wrapper.supervisor.child.crash_report import CrashReporter
from wrapper.supervisor.child.process import Channel
from wrapper.supervisor.child.runner import AlgorithmRunner
from wrapper.supervisor.loop.poller import Poller


def new_side() -> Side:
    side = Side()
    side.channel.give_out(1)
    return side


class Loop:
    """A runner in a loop that the test turns, and what it reports."""

    def __init__(self, folder: Path) -> None:
        self.sides = [new_side()]
        self.frames: list[Frame] = []
        self.deaths: list[int] = []
        self.handovers: list[bytes] = []
        self.poller = Poller()
        self._log_file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        log = Log("debug", fd=self._log_file.fileno())
        self.runner = AlgorithmRunner(
            self._spawn,
            self.poller,
            log,
            CrashReporter(log, str(folder / "termination-log")),
            on_frames=self.frames.extend,
            on_death=self.deaths.append,
            on_handover=self._take,
        )

    def _spawn(self) -> Side:
        self.sides.append(new_side())
        return self.sides[-1]

    def _take(self, sock: socket.socket) -> bool:
        self.handovers.append(sock.recv(100))
        return bool(self.handovers[-1])

    @property
    def log(self) -> str:
        return os.pread(self._log_file.fileno(), 1 << 20, 0).decode()

    def close(self) -> None:
        for side in self.sides:
            side.end()
            side.close()
        self._log_file.close()


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    loop = Loop(tmp_path)
    loop.runner.adopt(loop.sides[0])
    yield loop
    loop.close()


def test_frames_are_passed_on(loop: Loop) -> None:
    loop.sides[0].send(FrameKind.USER_MESSAGE, 1, raw=b"hello")

    loop.poller.wait(LIMIT)

    assert loop.frames == [Frame(FrameKind.USER_MESSAGE, 1, b"hello")]


def test_paused_side_is_not_read(loop: Loop) -> None:
    loop.runner.pause(True)
    loop.sides[0].send(FrameKind.USER_MESSAGE, 1, raw=b"hello")
    loop.poller.wait(0)
    assert loop.frames == []

    loop.runner.pause(False)
    loop.poller.wait(LIMIT)
    assert len(loop.frames) == 1


def test_side_without_a_process_dies_with_its_pipe(loop: Loop) -> None:
    loop.sides[0].end()
    loop.poller.wait(LIMIT)
    due = loop.runner.deadline()
    assert due is not None

    loop.runner.tick(due)

    assert loop.deaths == [0]
    assert loop.runner.deadline() is None


def test_process_that_lives_without_its_pipe_is_killed(loop: Loop) -> None:
    loop.sides[0].ends_with_its_pipe = False
    loop.sides[0].end()
    loop.poller.wait(LIMIT)
    due = loop.runner.deadline()
    assert due is not None
    assert due > time.monotonic(), "SIGCHLD may report the death first"

    loop.runner.tick(due - 0.001)
    assert not loop.sides[0].killed.is_set()
    loop.runner.tick(due)

    assert loop.sides[0].killed.is_set()
    assert loop.deaths == []
    loop.runner.report_crash(signal.SIGKILL)
    assert "the algorithm process has closed the wrapper's pipe" in loop.log
    assert "SIGKILL" not in loop.log, "that was us"


@pytest.mark.parametrize("junk", [b"x", b"\0", b"\x14\0\1", bytes(16), b"\0\xff" * 500])
def test_junk_in_the_pipe_is_a_crash_at_once(loop: Loop, junk: bytes) -> None:
    loop.sides[0].send(FrameKind.USER_MESSAGE, 1, raw=b"hello")
    loop.sides[0].send_bytes(junk)
    loop.sides[0].send(FrameKind.USER_MESSAGE, 1, raw=b"hello")
    loop.poller.wait(LIMIT)

    assert loop.sides[0].killed.is_set()
    assert loop.deaths == [0]
    loop.runner.report_crash(0)
    assert "the algorithm process wrote to the wrapper's pipe" in loop.log
    loop.poller.wait(0)
    assert loop.deaths == [0]


def test_refused_process_dies_once_and_its_rest_is_not_read(loop: Loop) -> None:
    loop.sides[0].ends_with_its_pipe = False
    loop.runner.refuse("sent nonsense")
    loop.runner.refuse("sent other nonsense")
    loop.sides[0].send(FrameKind.USER_MESSAGE, 1, raw=b"hello")
    loop.poller.wait(0)

    assert loop.sides[0].killed.is_set()
    assert loop.frames == []
    assert loop.deaths == [], "SIGCHLD reports it"
    loop.runner.report_crash(signal.SIGKILL)
    assert "the algorithm process sent nonsense" in loop.log


def test_killed_side_is_replaced(loop: Loop) -> None:
    loop.runner.kill("it is stuck", stuck=True, respawn=True)

    assert loop.sides[0].killed.is_set()
    assert loop.runner.channel is loop.sides[1].channel
    assert "killing the algorithm process: it is stuck" in loop.log
    assert "the stuck algorithm has no Python stack to show" in loop.log
    loop.sides[1].send(FrameKind.USER_MESSAGE, 1, raw=b"new")
    loop.poller.wait(LIMIT)
    assert [frame.payload for frame in loop.frames] == [b"new"]


def test_killed_side_is_not_replaced_at_the_end(loop: Loop) -> None:
    loop.runner.kill("the container ends", stuck=False, respawn=False)
    loop.runner.kill("the container ends", stuck=False, respawn=True)

    assert loop.runner.channel is None
    assert len(loop.sides) == 1


def test_results_are_handed_over_until_the_end_of_the_stream(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    ours, theirs = socket.socketpair()
    pipes = loop.sides[0].channel
    loop.sides[0].channel = Channel(pipes.tasks.socket, pipes.control.socket, ours)
    loop.runner.adopt(loop.sides[0])
    theirs.send(b"result")
    loop.poller.wait(LIMIT)
    theirs.close()
    loop.poller.wait(LIMIT)
    loop.poller.wait(0)

    assert loop.handovers == [b"result", b""]
    loop.close()
