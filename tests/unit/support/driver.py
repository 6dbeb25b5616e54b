"""A host in the test's process, and a supervisor's side that the test plays by hand."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread, current_thread, main_thread
from typing import Any, NamedTuple

from wrapper.algorithm.api.task_metrics import TaskMetrics
from wrapper.algorithm.host.host import Host
from wrapper.algorithm.host.interruption import Interruption
from wrapper.algorithm.host.pipes import Pipes
from wrapper.algorithm.host.settings import HostSettings
from wrapper.algorithm.host.user_code import UserCode
from wrapper.algorithm.loading.loader import UserAlgorithm, from_functions
from wrapper.errors import AlgorithmStopped
from wrapper.ipc.frames import INTERRUPT_SIGNAL, Frame, FrameKind
from wrapper.log import Log
from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.supervisor.child.process import Channel

LIMIT = 10.0
_LAST = 1_000_000  # a generation after all others


class ReceivedFrame(NamedTuple):
    """A frame from the host; its payload is decoded if it is a message."""

    kind: FrameKind
    generation: int
    message: Any

    @property
    def command(self) -> str:
        return str(self.message["command"])

    @property
    def data(self) -> Any:
        return self.message["data"]

    @property
    def error(self) -> dict[str, str]:
        error = self.message["error"]
        assert isinstance(error, dict)
        return error


class Driver:
    """A host, and the supervisor's ends of its pipes."""

    def __init__(self, max_payload: int = 1_000_000, log_failures: bool = True) -> None:
        tasks, their_tasks = socket.socketpair()
        control, their_control = socket.socketpair()
        self.channel = Channel(tasks, control)
        self.interruption = Interruption()
        self.user = UserCode(self.interruption)
        self.gone = Event()
        self.failures: list[BaseException] = []
        self.functions = 0
        self._exit_sent = False
        self._log_file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self._received: list[Frame] = []
        self.host = Host(
            Pipes(their_tasks, their_control, self.interruption),
            self.user,
            HostSettings(
                get_encoding("json"), max_payload, TaskMetrics(tempfile.gettempdir()), log_failures
            ),
            Log("debug", fd=self._log_file.fileno()),
            self.gone.set,
            self.failures.append,
        )

    def serve(self, script: Callable[[], object], load: Callable[[], UserAlgorithm]) -> None:
        """Run the host on the main thread, and the script in another thread."""
        failures: list[BaseException] = []

        def drive() -> None:
            try:
                loaded = self.receive()
                assert loaded.kind == FrameKind.MODULE_LOADED
                self.functions = loaded.message[0]
                script()
            except BaseException as error:
                failures.append(error)
            finally:
                if not self._exit_sent:
                    self.send(FrameKind.EXIT, _LAST)
                    self.send(FrameKind.INTERRUPT, _LAST)

        driving = Thread(target=drive)
        driving.start()
        self.host.run(load)
        driving.join(LIMIT)
        if failures:
            raise failures[0]

    def send(
        self, kind: FrameKind, generation: int, data: Any = None, raw: bytes | None = None
    ) -> None:
        """Send a frame; its payload is a message with this data, or the raw bytes."""
        if raw is None:
            message = {"command": kind.name.lower(), "data": data}
            raw = b"" if data is None else json.dumps(message).encode()
        self._exit_sent = self._exit_sent or kind is FrameKind.EXIT
        self.channel.send(kind, generation, raw)

    def answer(self, command: str, **data: Any) -> None:
        """Send HKube's answer to a call."""
        message = {"command": command, "data": data}
        self.channel.send(FrameKind.ANSWER, 0, json.dumps(message).encode())

    def receive(self, kind: FrameKind | None = None) -> ReceivedFrame:
        """Receive the next frame; fail if it is of another kind."""
        while not self._received:
            assert select.select([self.channel.tasks], [], [], LIMIT)[0], "the host sent nothing"
            frames = self.channel.read()
            assert frames is not None, "the host has closed its end"
            self._received += frames
        found, generation, payload = self._received.pop(0)
        message = (
            json.loads(payload)
            if found in (FrameKind.FINAL_MESSAGE, FrameKind.USER_MESSAGE)
            else payload
        )
        received = ReceivedFrame(FrameKind(found), generation, message)
        assert kind is None or received.kind is kind, received
        return received

    def is_silent(self) -> bool:
        """Return whether no frame has arrived yet."""
        self._received += self.channel.read() or []
        return not self._received

    def run_task(self, generation: int, data: Any = None) -> ReceivedFrame:
        """Run a whole task; return its final message."""
        self.send(FrameKind.TASK, generation, data or {})
        return self.receive(FrameKind.FINAL_MESSAGE)

    @property
    def log(self) -> str:
        size = os.fstat(self._log_file.fileno()).st_size
        return os.pread(self._log_file.fileno(), size, 0).decode()

    def close(self) -> None:
        self.host.close()
        self.channel.close()
        self._log_file.close()


@contextmanager
def driving(max_payload: int = 1_000_000, log_failures: bool = True) -> Iterator[Driver]:
    """Yield a driver; restore the handler of its signal afterwards."""
    before = signal.getsignal(INTERRUPT_SIGNAL)
    driver = Driver(max_payload, log_failures)
    driver.interruption.install()
    try:
        yield driver
    finally:
        driver.close()
        signal.signal(INTERRUPT_SIGNAL, before)


def loads(start: Any, **others: Any) -> Callable[[], UserAlgorithm]:
    """Return a loader of an algorithm with these functions."""
    return lambda: from_functions(start, **others)


class Calls:
    """The user's functions, which record their calls and threads."""

    def __init__(self) -> None:
        self.record: list[str] = []
        self.started = Event()
        self.released = Event()

    def start(self, args: Any, api: Any) -> str:
        """Run until released or interrupted."""
        self.record.append("start")
        self.started.set()
        try:
            assert self.released.wait(LIMIT)
        except AlgorithmStopped:
            self.record.append("stopped")
            raise
        return "result"

    def stop(self, args: Any) -> None:
        where = "main" if current_thread() is main_thread() else "beside"
        self.record.append(f"stop {where} {args.get('forceStop')}")
        self.released.set()

    def exit(self, args: Any) -> None:
        self.record.append("exit")


def begin(driver: Driver, calls: Calls, generation: int = 1) -> None:
    """Begin a task that runs until it is released."""
    driver.send(FrameKind.TASK, generation, {})
    assert calls.started.wait(LIMIT)
