"""The supervisor's ends of the two pipes."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import pytest

from wrapper.ipc import frames as ipc_frames
from wrapper.ipc.frames import Frame, FrameKind
from wrapper.supervisor.child.process import Channel

LIMIT = 10.0
NEWEST = 7  # generation


class Pipes:
    """Both pipes: the supervisor's channel, and the other ends."""

    def __init__(self) -> None:
        tasks, self.tasks = socket.socketpair()
        control, self.control = socket.socketpair()
        self.channel = Channel(tasks, control)
        self.channel.give_out(NEWEST)

    def received(self, sock: socket.socket) -> list[Frame]:
        """Return the frames that have arrived so far."""
        cutter = ipc_frames.frame_cutter()
        frames: list[Frame] = []
        sock.setblocking(False)
        try:
            while count := sock.recv_into(cutter.space()):
                frames += cutter.filled(count)
        except BlockingIOError:
            pass
        return frames

    def read(self) -> list[Frame] | None:
        assert select.select([self.channel.tasks], [], [], LIMIT)[0]
        return self.channel.read()

    def close(self) -> None:
        self.channel.close()
        self.tasks.close()
        self.control.close()


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    pipes = Pipes()
    yield pipes
    pipes.close()


@pytest.mark.parametrize("kind", [FrameKind.INITIALIZE, FrameKind.START, FrameKind.TASK])
def test_frames_for_the_main_thread_go_through_tasks(pipes: Pipes, kind: FrameKind) -> None:
    pipes.channel.send(kind, 3, b"message")

    assert pipes.received(pipes.tasks) == [(kind, 3, b"message")]
    assert pipes.received(pipes.control) == []


@pytest.mark.parametrize("kind", [FrameKind.ANSWER, FrameKind.INTERRUPT])
def test_urgent_frames_go_through_control(pipes: Pipes, kind: FrameKind) -> None:
    pipes.channel.send(kind, 3, b"message")

    assert pipes.received(pipes.tasks) == []
    assert pipes.received(pipes.control) == [(kind, 3, b"message")]


@pytest.mark.parametrize("kind", [FrameKind.STOP, FrameKind.EXIT])
def test_frames_that_end_a_task_go_through_both(pipes: Pipes, kind: FrameKind) -> None:
    pipes.channel.send(kind, 3, b"message")

    assert pipes.received(pipes.tasks) == pipes.received(pipes.control) == [(kind, 3, b"message")]


def test_every_kind_goes_somewhere(pipes: Pipes) -> None:
    for kind in FrameKind:
        if kind < FrameKind.MODULE_LOADED:  # the others come from there
            pipes.channel.send(kind, 1, b"")
            assert pipes.received(pipes.tasks) + pipes.received(pipes.control), kind


@pytest.mark.parametrize("size", [0, 4095, 4096, 100_000])
def test_any_size_is_sent(pipes: Pipes, size: int) -> None:
    pipes.channel.send(FrameKind.ANSWER, 1, bytes(size))

    assert pipes.received(pipes.control) == [(FrameKind.ANSWER, 1, bytes(size))]


def test_frames_wait_while_the_pipe_is_full(pipes: Pipes) -> None:
    payload = bytes(5_000_000)
    pipes.channel.send(FrameKind.TASK, 1, payload)
    outbox = pipes.channel.tasks.outbox
    assert outbox.waiting_bytes

    cutter = ipc_frames.frame_cutter()
    frames: list[Frame] = []
    while not frames:
        outbox.flush()
        frames += cutter.filled(pipes.tasks.recv_into(cutter.space()))

    assert frames == [(FrameKind.TASK, 1, payload)]
    assert outbox.waiting_bytes == 0


def test_a_large_task_does_not_delay_urgent_frames(pipes: Pipes) -> None:
    pipes.channel.send(FrameKind.TASK, 1, bytes(5_000_000))
    pipes.channel.send(FrameKind.STOP, 2, b"")

    assert pipes.received(pipes.control) == [(FrameKind.STOP, 2, b"")]


def test_sending_to_a_closed_pipe_is_not_an_error(pipes: Pipes) -> None:
    pipes.tasks.close()
    pipes.control.close()

    pipes.channel.send(FrameKind.STOP, 1, bytes(100_000))
    pipes.channel.tasks.outbox.try_flush()


def test_frames_are_read_up_to_the_end(pipes: Pipes) -> None:
    frame = ipc_frames.header(FrameKind.USER_MESSAGE, 7, 4) + b"said"
    pipes.tasks.sendall(frame + frame + frame[:5])
    assert pipes.read() == [(FrameKind.USER_MESSAGE, 7, b"said")] * 2

    pipes.tasks.sendall(frame[5:])
    pipes.tasks.close()
    assert pipes.read() == [(FrameKind.USER_MESSAGE, 7, b"said")]
    assert pipes.read() is None
    assert pipes.channel.read() is None


def test_reading_an_empty_pipe_returns_no_frame(pipes: Pipes) -> None:
    assert pipes.channel.read() == []


def test_an_incomplete_last_frame_is_dropped(pipes: Pipes) -> None:
    pipes.tasks.sendall(ipc_frames.header(FrameKind.FINAL_MESSAGE, 1, 100) + b"half")
    pipes.tasks.close()

    assert pipes.read() == []
    assert pipes.read() is None
