"""Which messages of a stored result go out together, over a socket that keeps writes apart."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.free_ports import free_port
from wrapper.algorithm.api.task_metrics import TaskMetrics
from wrapper.algorithm.host.interruption import Interruption
from wrapper.algorithm.host.pipes import Pipes
from wrapper.algorithm.host.settings import HostSettings
from wrapper.algorithm.host.task_io import DoneMessage, TaskIO
from wrapper.algorithm.host.user_code import UserCode
from wrapper.config.settings import Config
from wrapper.ipc.frames import INTERRUPT_SIGNAL, Frame, FrameKind, frame_cutter
from wrapper.log import Log
from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.storage.peers.handover import answer, receive
from wrapper.storage.task_storage import TaskStorage

LIMIT = 20.0  # seconds
JOB = {"jobId": "j", "taskId": "t", "nodeName": "green"}


class StoringSide:
    """The algorithm side's parts that store a result; the test plays the supervisor."""

    def __init__(self, folder: Path, hands_over: bool) -> None:
        self.writes, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control, self._control = socket.socketpair()
        self.handover, their_handover = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for sock in (self.writes, self.handover):
            sock.settimeout(LIMIT)
        config = Config.from_environ(
            {"BASE_FS_ADAPTER_DIRECTORY": str(folder), "DISCOVERY_PORT": str(free_port())}, "/"
        )
        storage = TaskStorage(
            config.storage,
            config.discovery,
            lambda line: None,
            their_handover if hands_over else None,
        )
        interruption = Interruption()
        interruption.install()
        self.pipes = Pipes(theirs, control, interruption)
        settings = HostSettings(
            get_encoding("json"), 10**6, TaskMetrics(str(folder)), False, storage
        )
        self._task_io = TaskIO(self.pipes, settings, UserCode(interruption), Log("error"))
        self._sockets = (self.writes, self._control, self.handover, their_handover)

    def finish(self, result: Any) -> None:
        """Store the result of a task, and send its final message."""
        payload = json.dumps({"command": "initialize", "data": JOB}).encode()
        task = self._task_io.read_task(Frame(FrameKind.TASK, 0, payload))
        done = self._task_io.done_message(task, [result])
        assert isinstance(done, DoneMessage)
        self.pipes.send(FrameKind.FINAL_MESSAGE, 0, done.payload, done.before)

    def next_write(self) -> list[FrameKind]:
        """Return the kinds of the frames that were sent in one system call."""
        cutter = frame_cutter()
        frames = cutter.filled(self.writes.recv_into(cutter.space()))
        return [FrameKind(frame.kind) for frame in frames]

    def close(self) -> None:
        self.pipes.close()
        for sock in self._sockets:
            sock.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[bool], StoringSide]]:
    before = signal.getsignal(INTERRUPT_SIGNAL)
    made: list[StoringSide] = []

    def make(hands_over: bool) -> StoringSide:
        made.append(StoringSide(tmp_path, hands_over))
        return made[0]

    yield make
    for side in made:
        side.close()
    signal.signal(INTERRUPT_SIGNAL, before)


def test_report_and_final_message_are_one_write_if_no_peer_is_served(
    make: Callable[[bool], StoringSide],
) -> None:
    side = make(False)
    side.finish([1])
    assert side.next_write() == [FrameKind.USER_MESSAGE, FrameKind.FINAL_MESSAGE]


def test_small_result_and_its_report_are_one_write_before_the_result_is_stored(
    make: Callable[[bool], StoringSide],
) -> None:
    side = make(True)

    def hold_first() -> None:
        offer = receive(side.handover)
        assert offer is not None
        answer(side.handover, offer.number, True)

    supervisor = Thread(target=hold_first)
    supervisor.start()
    side.finish([1])
    supervisor.join(LIMIT)
    assert side.next_write() == [FrameKind.USER_MESSAGE]
    assert side.next_write() == [FrameKind.FINAL_MESSAGE]
    side.finish([2])  # nobody answers
    assert side.next_write() == [FrameKind.HELD_RESULT, FrameKind.USER_MESSAGE]
    assert side.next_write() == [FrameKind.FINAL_MESSAGE]
