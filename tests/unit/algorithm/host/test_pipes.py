"""The algorithm side's ends of the pipes: frames from any thread, and amid signals."""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from threading import Thread

import pytest

from wrapper.algorithm.host.interruption import Interruption
from wrapper.algorithm.host.pipes import Pipes
from wrapper.errors import AlgorithmStopped
from wrapper.ipc import frames as ipc_frames
from wrapper.ipc.frames import INTERRUPT_SIGNAL, Frame, FrameKind

LIMIT = 10.0


class Supervisor:
    """The other ends."""

    def __init__(self) -> None:
        self.tasks, tasks = socket.socketpair()
        self.control, control = socket.socketpair()
        self.tasks.settimeout(LIMIT)
        # They block, as the wrapper's do, but not for ever if the test has gone wrong.
        for sock in (tasks, control):
            for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
                sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(2 * LIMIT), 0))
        self.interruption = Interruption()
        self.pipes = Pipes(tasks, control, self.interruption)
        self._cutter = ipc_frames.frame_cutter()

    def receive(self, count: int) -> list[Frame]:
        """The next frames, `count` of them at least."""
        frames: list[Frame] = []
        while len(frames) < count:
            try:
                received = self.tasks.recv_into(self._cutter.space())
            except TimeoutError:
                self.tasks.close()  # who sends is not to wait for this one any more
                raise
            assert received, "it has closed its end"
            frames += self._cutter.filled(received)
        return frames

    def say(self, sock: socket.socket, kind: int, payload: bytes) -> None:
        sock.sendall(ipc_frames.header(kind, 1, len(payload)) + payload)

    def close(self) -> None:
        self.pipes.close()
        self.tasks.close()
        self.control.close()


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    before = signal.getsignal(INTERRUPT_SIGNAL)
    supervisor = Supervisor()
    supervisor.interruption.install()
    yield supervisor
    supervisor.close()
    signal.signal(INTERRUPT_SIGNAL, before)


@pytest.mark.parametrize("size", [0, 10, 64 * 1024, 64 * 1024 + 1, 1_000_000])
def test_a_frame_arrives_whole(supervisor: Supervisor, size: int) -> None:
    sending = Thread(target=supervisor.pipes.send, args=(FrameKind.USER_MESSAGE, 5, bytes(size)))
    sending.start()

    assert supervisor.receive(1) == [(FrameKind.USER_MESSAGE, 5, bytes(size))]
    sending.join(LIMIT)


@pytest.mark.parametrize("size", [0, 100_000])
def test_frame_before_another_arrives_first(supervisor: Supervisor, size: int) -> None:
    before = ipc_frames.frame(FrameKind.HELD_RESULT, 5, b"note")
    send = supervisor.pipes.send
    sending = Thread(target=send, args=(FrameKind.USER_MESSAGE, 5, bytes(size), before))
    sending.start()

    assert supervisor.receive(2) == [
        (FrameKind.HELD_RESULT, 5, b"note"),
        (FrameKind.USER_MESSAGE, 5, bytes(size)),
    ]
    sending.join(LIMIT)


def test_frames_come_from_both_pipes(supervisor: Supervisor) -> None:
    supervisor.say(supervisor.tasks, FrameKind.TASK, b"task")
    supervisor.say(supervisor.control, FrameKind.ANSWER, b"answer")

    assert next(supervisor.pipes.tasks()).payload == b"task"
    assert next(supervisor.pipes.control()).payload == b"answer"


def test_frames_that_arrive_together_stay_in_order(supervisor: Supervisor) -> None:
    for number in range(5):
        supervisor.say(supervisor.tasks, FrameKind.TASK, b"%d" % number)
    frames = supervisor.pipes.tasks()

    assert [next(frames).payload for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]


def test_the_end_of_a_pipe_ends_its_frames(supervisor: Supervisor) -> None:
    supervisor.say(supervisor.tasks, FrameKind.TASK, b"task")
    supervisor.tasks.close()
    supervisor.control.close()

    assert [frame.payload for frame in supervisor.pipes.tasks()] == [b"task"]
    assert list(supervisor.pipes.control()) == []


def test_closing_ends_the_frames_of_a_thread_that_waits(supervisor: Supervisor) -> None:
    waiting = Thread(target=lambda: list(supervisor.pipes.control()))
    waiting.start()
    supervisor.pipes.close()
    waiting.join(LIMIT)

    assert not waiting.is_alive()


def test_sending_after_the_supervisor_has_ended_is_not_an_error(supervisor: Supervisor) -> None:
    supervisor.tasks.close()

    supervisor.pipes.send(FrameKind.USER_MESSAGE, 1, bytes(1_000_000))


def test_frames_of_many_threads_never_mix(supervisor: Supervisor) -> None:
    threads, each = 8, 30

    def send(number: int) -> None:
        for turn in range(each):
            supervisor.pipes.send(
                FrameKind.USER_MESSAGE, number, bytes([number]) * (1 + turn * 3001 % 150_000)
            )

    senders = [Thread(target=send, args=(number,)) for number in range(threads)]
    for sender in senders:
        sender.start()
    frames = supervisor.receive(threads * each)
    for sender in senders:
        sender.join(LIMIT)

    for number in range(threads):
        sizes = [len(frame.payload) for frame in frames if frame.generation == number]
        assert sizes == [1 + turn * 3001 % 150_000 for turn in range(each)], "each one's in order"
    assert all(set(frame.payload) == {frame.generation} for frame in frames)


# ------------------------------------------------------------------------------- signals --
def with_handler(supervisor: Supervisor, payload: bytes) -> None:
    signal.signal(
        signal.SIGUSR1, lambda *_: supervisor.pipes.send(FrameKind.USER_MESSAGE, 2, payload)
    )


@pytest.fixture
def own_handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.usefixtures("own_handlers")
def test_a_frame_from_a_signal_handler_does_not_split_another(supervisor: Supervisor) -> None:
    with_handler(supervisor, b"from the handler")
    frames: list[Frame] = []

    def read() -> None:
        # The main thread is amid the frame now: the pipe is full.
        frames.extend(supervisor.receive(0))
        supervisor.tasks.recv_into(supervisor._cutter.space(), 1)
        supervisor._cutter.filled(1)
        os.kill(os.getpid(), signal.SIGUSR1)
        frames.extend(supervisor.receive(2))

    reading = Thread(target=read)
    reading.start()
    supervisor.pipes.send(FrameKind.USER_MESSAGE, 1, bytes(5_000_000))
    supervisor.pipes.send(FrameKind.USER_MESSAGE, 3, b"next")
    reading.join(LIMIT)
    if len(frames) < 3:
        frames += supervisor.receive(3 - len(frames))

    assert [(frame.generation, len(frame.payload)) for frame in frames] == [
        (1, 5_000_000),
        (2, 16),
        (3, 4),
    ]


@pytest.mark.usefixtures("own_handlers")
def test_a_frame_from_a_signal_handler_is_otherwise_sent_at_once(
    supervisor: Supervisor,
) -> None:
    with_handler(supervisor, b"from the handler")
    signal.raise_signal(signal.SIGUSR1)

    assert supervisor.receive(1) == [(FrameKind.USER_MESSAGE, 2, b"from the handler")]


@pytest.mark.usefixtures("own_handlers")
def test_many_signals_and_threads_neither_lose_nor_mix_frames(supervisor: Supervisor) -> None:
    """Deferred frames are written by whoever comes next, and by one of them only."""
    with_handler(supervisor, b"h" * 70_000)

    def storm() -> None:
        for _ in range(50):
            os.kill(os.getpid(), signal.SIGUSR1)
            supervisor.pipes.send(FrameKind.USER_MESSAGE, 3, b"t" * 70_000)

    frames: list[Frame] = []

    def read() -> None:
        while not frames or frames[-1].kind != FrameKind.STOP_COMPLETED:
            frames.extend(supervisor.receive(1))

    storming = [Thread(target=storm) for _ in range(2)]
    reading = Thread(target=read)
    for thread in (reading, *storming):
        thread.start()
    for _ in range(100):
        supervisor.pipes.send(FrameKind.USER_MESSAGE, 1, b"m" * 70_000)
    for thread in storming:
        thread.join(LIMIT)
    supervisor.pipes.send(FrameKind.STOP_COMPLETED, 1)
    reading.join(LIMIT)

    letters = {1: b"m", 2: b"h", 3: b"t"}
    said = [frame for frame in frames if frame.kind == FrameKind.USER_MESSAGE]
    assert all(frame.payload == letters[frame.generation] * 70_000 for frame in said)
    assert sum(frame.generation == 1 for frame in said) == 100


@pytest.mark.skipif(sys.platform == "win32", reason="needs pthread_kill")
def test_an_interruption_waits_for_the_end_of_a_frame(supervisor: Supervisor) -> None:
    frames: list[Frame] = []

    def interrupt_and_read() -> None:
        supervisor.tasks.recv_into(supervisor._cutter.space(), 1)
        supervisor._cutter.filled(1)
        supervisor.interruption.request()
        frames.extend(supervisor.receive(1))

    reading = Thread(target=interrupt_and_read)
    reading.start()
    with pytest.raises(AlgorithmStopped), supervisor.interruption.user_code:
        supervisor.pipes.send(FrameKind.USER_MESSAGE, 1, bytes(5_000_000))
    reading.join(LIMIT)

    assert [len(frame.payload) for frame in frames] == [5_000_000]
    supervisor.pipes.send(FrameKind.STOP_COMPLETED, 1)
    assert supervisor.receive(1) == [(FrameKind.STOP_COMPLETED, 1, b"")]


def test_a_large_frame_is_sent_even_if_no_thread_can_start(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    frames: list[Frame] = []
    reading = Thread(target=lambda: frames.extend(supervisor.receive(1)))
    reading.start()
    monkeypatch.setattr("wrapper.algorithm.host.pipes.start_new_thread", refuse)
    supervisor.pipes.send(FrameKind.USER_MESSAGE, 1, bytes(5_000_000))
    reading.join(LIMIT)

    assert [len(frame.payload) for frame in frames] == [5_000_000]


# ---------------------------------------------------------------------------------- fork --
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_sends_nothing() -> None:
    """In a new process, because one with threads must not be forked."""
    import subprocess

    code = """
import os, socket
from wrapper.algorithm.host.interruption import Interruption
from wrapper.algorithm.host.pipes import Pipes
ours, tasks = socket.socketpair()
_, control = socket.socketpair()
pipes = Pipes(tasks, control, Interruption())
pid = os.fork()
pipes.send(20, 1, b"child" if pid == 0 else b"parent")
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
data = ours.recv(1000)
assert data.endswith(b"parent"), data
assert b"child" not in data
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0


@pytest.mark.usefixtures("own_handlers")
def test_a_signal_handler_that_raises_during_a_large_frame_leaves_it_whole(
    supervisor: Supervisor,
) -> None:
    """As `signal.alarm` with a handler of the user's does, for a time limit of their own."""

    def out_of_time(number: int, frame: object) -> None:
        raise TimeoutError("the user's own limit")

    signal.signal(signal.SIGUSR1, out_of_time)
    frames: list[Frame] = []

    def interrupt_and_read() -> None:
        supervisor.tasks.recv_into(supervisor._cutter.space(), 1)
        supervisor._cutter.filled(1)
        os.kill(os.getpid(), signal.SIGUSR1)
        frames.extend(supervisor.receive(2))

    reading = Thread(target=interrupt_and_read)
    reading.start()
    with pytest.raises(TimeoutError):
        supervisor.pipes.send(FrameKind.USER_MESSAGE, 1, bytes(5_000_000))
    supervisor.pipes.send(FrameKind.STOP_COMPLETED, 2)
    reading.join(LIMIT)

    assert [(f.generation, len(f.payload)) for f in frames] == [(1, 5_000_000), (2, 0)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("lock", ["_active_limbo_lock", "_shutdown_locks_lock"])
def test_a_signal_handler_that_interrupts_threading_can_send_a_large_frame(lock: str) -> None:
    """The main thread is amid a Thread's `start`, or its `join` (whose lock is gone in 3.13).

    In a new process with a time limit: a failure would wait for ever.
    """
    import subprocess

    code = """
import signal, socket, sys, threading
from contextlib import nullcontext
from wrapper.algorithm.host.interruption import Interruption
from wrapper.algorithm.host.pipes import Pipes
ours, tasks = socket.socketpair()
_, control = socket.socketpair()
pipes = Pipes(tasks, control, Interruption())
reading = threading.Thread(target=ours.recv, args=(300_000, socket.MSG_WAITALL), daemon=True)
reading.start()
signal.signal(signal.SIGUSR1, lambda *_: pipes.send(20, 1, bytes(300_000)))
with getattr(threading, sys.argv[1], nullcontext()):
    signal.raise_signal(signal.SIGUSR1)
reading.join(10)
assert not reading.is_alive(), "it was not sent"
"""
    done = subprocess.run([sys.executable, "-c", code, lock], check=False, timeout=LIMIT * 3)
    assert done.returncode == 0
