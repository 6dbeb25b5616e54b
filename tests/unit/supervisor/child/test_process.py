"""The algorithm process seen from outside, with real processes."""

from __future__ import annotations

import os
import select
import signal
import sys
import textwrap
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.paths import ROOT
from wrapper.ipc.frames import Frame, FrameKind
from wrapper.supervisor.child.process import AlgorithmProcess
from wrapper.text.exit_codes import exit_code_of_status

LIMIT = 30.0

HEAD = """
import faulthandler, os, signal, socket, sys, time
from wrapper.ipc import frames as ipc
tasks_fd, control_fd, stacks_fd = map(int, os.environ[ipc.CHANNEL_VARIABLE].split(","))
tasks, control = socket.socket(fileno=tasks_fd), socket.socket(fileno=control_fd)

def say(text):
    payload = text.encode()
    tasks.sendall(ipc.header(ipc.FrameKind.USER_MESSAGE, 1, len(payload)) + payload)
"""


class Started:
    """A process that runs a script, and the messages it sends."""

    def __init__(self, script: str, outputs: tuple[int, int] | None = None) -> None:
        command = [sys.executable, "-c", HEAD + textwrap.dedent(script)]
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "GREETING": "hello"}
        self.process = AlgorithmProcess(command, environ, outputs)
        self.process.channel.give_out(1)
        self.reaped = False

    def receive(self) -> str:
        """Return its next message."""
        frames = self.read()
        assert frames, "the process has ended"
        return bytes(frames[0].payload).decode()

    def read(self) -> list[Frame] | None:
        assert select.select([self.process.channel.tasks], [], [], LIMIT)[0], (
            "the process sends nothing"
        )
        return self.process.channel.read()

    def wait(self) -> int:
        """Wait for its end; return its wait status."""
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        _, status = os.waitpid(self.process.pid, 0)
        self.reaped = True
        assert self.process.died_with(self.process.pid, status)
        return status

    def finish(self) -> None:
        if not self.reaped:
            self.process.kill()
            self.wait()
        self.process.close()


@pytest.fixture
def started() -> Iterator[list[Started]]:
    processes: list[Started] = []
    yield processes
    for process in processes:
        process.finish()


def start(started: list[Started], script: str, outputs: tuple[int, int] | None = None) -> Started:
    process = Started(script, outputs)
    started.append(process)
    return process


# ------------------------------------------------------------------------------- starting --
def test_process_gets_its_pipes_and_the_environment(started: list[Started]) -> None:
    algorithm = start(
        started,
        """
        cutter = ipc.frame_cutter()
        for sock in (tasks, control):
            [frame] = cutter.filled(sock.recv_into(cutter.space()))
            say(f"{frame.kind} {frame.payload.decode()} {os.environ['GREETING']}")
        """,
    )
    algorithm.process.channel.send(FrameKind.START, 1, b"start")
    assert algorithm.receive() == f"{int(FrameKind.START)} start hello"

    algorithm.process.channel.send(FrameKind.ANSWER, 1, b"answer")
    assert algorithm.receive() == f"{int(FrameKind.ANSWER)} answer hello"


def test_process_runs_in_its_own_session(started: list[Started]) -> None:
    algorithm = start(started, "say(str(os.getsid(0)))")

    assert algorithm.receive() == str(algorithm.process.pid)


def test_process_does_not_inherit_signal_handling(started: list[Started]) -> None:
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        algorithm = start(
            started,
            """
            say(str([signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN,
                     signal.getsignal(signal.SIGINT) is signal.default_int_handler,
                     signal.pthread_sigmask(signal.SIG_BLOCK, [])]))
            """,
        )
        assert algorithm.receive() == "[True, True, set()]"
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        for number, handler in before.items():
            signal.signal(number, handler)


def test_output_can_be_redirected(started: list[Started]) -> None:
    pipes = [os.pipe(), os.pipe()]
    try:
        start(
            started,
            "os.write(1, b'out'); os.write(2, b'err')",
            outputs=(pipes[0][1], pipes[1][1]),
        )
        received = []
        for reading, _ in pipes:
            assert select.select([reading], [], [], LIMIT)[0]
            received.append(os.read(reading, 100))
        assert received == [b"out", b"err"]
    finally:
        for fd in (fd for pipe in pipes for fd in pipe):
            os.close(fd)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_process_inherits_none_of_our_files(started: list[Started]) -> None:
    """Otherwise the end of its pipe would go unnoticed, and other files would stay open."""
    handed_down = {fd for fd in open_files() if os.get_inheritable(fd)}
    algorithm = start(
        started,
        """
        names = set(map(int, os.listdir("/proc/self/fd")))
        still_open = {fd for fd in names if os.path.exists(f"/proc/self/fd/{fd}")}
        say(" ".join(map(str, still_open - {tasks_fd, control_fd, stacks_fd})))
        """,
    )

    assert set(map(int, algorithm.receive().split())) <= handed_down


def open_files() -> set[int]:
    names = set(map(int, os.listdir("/proc/self/fd")))
    return {fd for fd in names if os.path.exists(f"/proc/self/fd/{fd}")}


def test_file_descriptors_are_released() -> None:
    before = psutil.Process().num_fds()
    for _ in range(3):
        algorithm = Started("")
        algorithm.wait()
        algorithm.finish()

    assert psutil.Process().num_fds() == before


# --------------------------------------------------------------------------------- ending --
@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("", 0),
        ("os._exit(7)", 7),
        ("sys.exit(3)", 3),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("os.kill(os.getpid(), signal.SIGTERM)", 143),
        ("os.abort()", 134),
    ],
)
def test_exit_code_is_that_of_a_container(started: list[Started], script: str, code: int) -> None:
    assert exit_code_of_status(start(started, script).wait()) == code


def test_final_messages_are_read_before_the_end(started: list[Started]) -> None:
    algorithm = start(started, "say('last'); say('words')")
    algorithm.wait()

    assert [bytes(frame.payload) for frame in algorithm.read() or []] == [b"last", b"words"]
    assert algorithm.read() is None


def test_only_its_own_death_is_noted(started: list[Started]) -> None:
    algorithm = start(started, "time.sleep(600)")

    assert not algorithm.process.died_with(algorithm.process.pid + 1, 0)


def test_process_is_killed_with_its_group(started: list[Started]) -> None:
    algorithm = start(
        started,
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork():
            say("up")
        signal.pause()
        """,
    )
    assert algorithm.receive() == "up"
    algorithm.process.kill()

    assert exit_code_of_status(algorithm.wait()) == 137
    assert algorithm.read() is None, "nobody holds the other end of the pipe any more"


def test_killing_a_dead_process_is_not_an_error(started: list[Started]) -> None:
    algorithm = start(started, "")
    algorithm.wait()

    algorithm.process.kill()


# --------------------------------------------------------------------------------- stacks --
def test_stack_at_a_fatal_signal(started: list[Started]) -> None:
    algorithm = start(
        started,
        """
        faulthandler.enable(file=stacks_fd)
        def inner():
            os.abort()
        inner()
        """,
    )
    algorithm.wait()

    text = algorithm.process.stacks(ask=False)

    assert "Fatal Python error: Aborted" in text
    assert "in inner" in text


def test_current_stack_is_available_while_the_gil_is_held(started: list[Started]) -> None:
    algorithm = start(
        started,
        """
        faulthandler.register(ipc.DUMP_SIGNAL, file=stacks_fd, all_threads=True, chain=False)
        def stuck():
            sum(range(10 ** 12))
        say("ready")
        stuck()
        """,
    )
    algorithm.receive()
    deadline = time.monotonic() + LIMIT
    text = ""
    while "in stuck" not in text and time.monotonic() < deadline:
        text = algorithm.process.stacks(ask=True)

    assert "in stuck" in text
    assert os.waitpid(algorithm.process.pid, os.WNOHANG) == (0, 0), "it still runs"


def test_process_that_does_not_answer_has_no_stack(started: list[Started]) -> None:
    algorithm = start(
        started, "signal.signal(ipc.DUMP_SIGNAL, signal.SIG_IGN); say('ready'); signal.pause()"
    )
    algorithm.receive()
    begun = time.monotonic()

    assert algorithm.process.stacks(ask=True) == ""
    assert time.monotonic() - begun < LIMIT / 3


def test_dead_process_is_not_asked_for_its_stack(started: list[Started]) -> None:
    algorithm = start(started, "")
    algorithm.wait()

    assert algorithm.process.stacks(ask=True) == ""
