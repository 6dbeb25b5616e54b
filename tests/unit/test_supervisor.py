"""The supervisor's loop, between a worker and an algorithm side played by hand."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import Any

import pytest
from websockets.frames import Opcode

from tests.unit.gateway import Gateway
from tests.unit.peer import LIMIT
from wrapper import ipc
from wrapper.config import Config
from wrapper.ipc import Frame, Functions, Kind
from wrapper.log import Log
from wrapper.supervisor.process import Channel
from wrapper.supervisor.supervisor import Supervisor

ALSO_SENT = ("alive", "stopping")


class Side:
    """The algorithm side, and the ends of its pipes."""

    ends_with_its_pipe = True

    def __init__(self) -> None:
        tasks, self._tasks = socket.socketpair()
        control, self._control = socket.socketpair()
        self.channel = Channel(tasks, control)
        self.killed = Event()
        self._cutters = {sock: ipc.frame_cutter() for sock in (self._tasks, self._control)}
        self._heard: dict[socket.socket, list[Frame]] = {self._tasks: [], self._control: []}
        for sock in self._cutters:
            sock.settimeout(LIMIT)

    def say(self, kind: Kind, generation: int, message: Any = None, raw: bytes = b"") -> None:
        payload = raw if message is None else json.dumps(message).encode()
        self._tasks.sendall(ipc.header(kind, generation, len(payload)) + payload)

    def hear(self, kind: Kind) -> Frame:
        """The next frame, which must be of this kind; from the pipe that brings it."""
        sock = self._control if kind in (Kind.ANSWER, Kind.INTERRUPT) else self._tasks
        while not self._heard[sock]:
            count = sock.recv_into(self._cutters[sock].space())
            assert count, "the supervisor has closed its end"
            self._heard[sock] += [
                frame
                for frame in self._cutters[sock].filled(count)
                if sock is self._tasks or frame.kind not in (Kind.STOP, Kind.EXIT)
            ]
        frame = self._heard[sock].pop(0)
        assert frame.kind == kind
        return frame

    def end(self) -> None:
        self._tasks.close()
        self._control.close()

    def kill(self) -> None:
        self.killed.set()

    def close(self) -> None:
        self.channel.close()

    def stacks(self, ask: bool) -> str:
        return ""

    def died_with(self, pid: int, status: int) -> bool:
        return False


class Stage:
    """A supervisor that runs in a thread, between a worker and algorithm sides."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.gateway = Gateway()
        self._log_file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        config = Config.from_environ(
            {
                "WORKER_SOCKET_PORT": str(self.gateway.port),
                "TERMINATION_LOG": str(folder / "termination-log"),
                **environ,
            },
            folder,
        )
        self.sides: Queue[Side] = Queue()
        self.side = Side()
        self._all = [self.side]
        log = Log("debug", fd=self._log_file.fileno())
        self.supervisor = Supervisor(config, log, self._spawn)
        self.code: int | None = None
        self._heard: list[dict[str, Any]] = []
        self._thread = Thread(target=self._run)
        self._thread.start()
        self.worker = self.gateway.accept()
        self.side.say(Kind.LOADED, 0, raw=bytes([Functions.INITIALIZE]))

    def _spawn(self) -> Side:
        side = Side()
        self._all.append(side)
        self.sides.put(side)
        return side

    def _run(self) -> None:
        self.code = self.supervisor.run(self.side)

    def tell(self, command: str, data: Any = None) -> None:
        self.worker.say(json.dumps({"command": command, "data": data}))

    def heard(self) -> dict[str, Any]:
        """The next message to the worker, those apart that come by the clock."""
        while not self._heard:
            frames = self.worker.hear()
            assert frames, "the wrapper has closed the connection"
            texts = [frame.data for frame in frames if frame.opcode == Opcode.TEXT]
            messages = [json.loads(bytes(text)) for text in texts]
            self._heard += [each for each in messages if each["command"] not in ALSO_SENT]
        return self._heard.pop(0)

    def begin_task(self) -> int:
        """Bring a task so far that its code runs; its generation."""
        self.tell("initialize", {"input": [1]})
        generation = self.side.hear(Kind.INITIALIZE).generation
        self.side.say(Kind.INITIALIZED, generation)
        assert self.heard() == {"command": "initialized"}
        self.tell("start")
        assert self.side.hear(Kind.START).generation == generation
        assert self.heard() == {"command": "started"}
        return generation

    def ended(self) -> int:
        """The exit code."""
        self._thread.join(LIMIT)
        assert self.code is not None, self.log
        return self.code

    @property
    def log(self) -> str:
        return os.pread(self._log_file.fileno(), 1 << 20, 0).decode()

    def close(self) -> None:
        self.gateway.close()
        if self._thread.is_alive():
            self.supervisor.terminate()
            for side in self._all:
                side.end()
            self._thread.join(LIMIT)
        for side in self._all:
            side.end()
            side.close()
        self.supervisor.wakeup.close()
        self._log_file.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_a_task_passes_through(stage: Stage) -> None:
    generation = stage.begin_task()
    stage.side.say(Kind.SAID, generation, {"command": "progress", "data": {"progress": 5}})
    assert stage.heard()["command"] == "progress"
    stage.side.say(Kind.FINISHED, generation, {"command": "done", "data": 7})

    assert stage.heard() == {"command": "done", "data": 7}


def test_what_belongs_to_an_old_task_is_dropped(stage: Stage) -> None:
    generation = stage.begin_task()
    for data in (1, 2):
        stage.side.say(Kind.FINISHED, generation, {"command": "done", "data": data})
    stage.side.say(Kind.SAID, generation, {"command": "progress", "data": {}})
    assert stage.heard()["data"] == 1
    generation = stage.begin_task()
    stage.side.say(Kind.FINISHED, generation, {"command": "done", "data": 3})

    assert stage.heard()["data"] == 3


def test_a_burst_of_answers_stays_in_order(stage: Stage) -> None:
    stage.begin_task()
    answers = [
        json.dumps({"command": "subPipelineDone", "data": {"subPipelineId": str(number)}})
        for number in range(50)
    ]
    stage.worker.say(*answers)

    heard = [bytes(stage.side.hear(Kind.ANSWER).payload).decode() for _ in answers]
    assert heard == answers


def test_junk_of_the_worker_is_survived(stage: Stage) -> None:
    stage.worker.say("", "{", "[]", b"\xff", '{"command":5}', '{"command":"dance"}', "{" * 5000)
    generation = stage.begin_task()
    stage.side.say(Kind.FINISHED, generation, {"command": "done", "data": 1})

    assert stage.heard()["data"] == 1


def test_a_stop_that_is_not_heeded_costs_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wrapper.protocol.task.KILL_AFTER", 0.05)
    stage = Stage(tmp_path)
    stage.begin_task()
    stage.tell("stop", {"forceStop": True})

    assert stage.heard() == {"command": "stopped"}
    assert stage.side.killed.wait(LIMIT)
    stage.side = stage.sides.get(timeout=LIMIT)
    stage.side.say(Kind.LOADED, 0, raw=bytes([Functions.INITIALIZE]))
    generation = stage.begin_task()
    stage.side.say(Kind.FINISHED, generation, {"command": "done", "data": 1})
    assert stage.heard()["data"] == 1
    stage.close()


def test_too_much_on_its_way_to_the_worker_makes_the_algorithm_wait(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wrapper.supervisor.supervisor._MOST_WAITING_BYTES", 1_000_000)
    generation = stage.begin_task()
    message = json.dumps({"command": "progress", "data": "x" * 500_000}).encode()

    def flood() -> None:
        for _ in range(60):
            stage.side.say(Kind.SAID, generation, raw=message)
        stage.side.say(Kind.FINISHED, generation, {"command": "done", "data": 1})

    flooding = Thread(target=flood)
    flooding.start()
    flooding.join(0.3)
    assert flooding.is_alive(), "30 MB do not fit anywhere"
    heard = [stage.heard()["command"] for _ in range(61)]
    flooding.join(LIMIT)

    assert heard == ["progress"] * 60 + ["done"]


# --------------------------------------------------------------------------------- ending --
def test_exit(stage: Stage) -> None:
    stage.tell("exit", {"exitCode": 9})
    stage.side.hear(Kind.EXIT)
    stage.side.end()

    assert stage.ended() == 9


def test_terminate(stage: Stage) -> None:
    stage.begin_task()
    stage.supervisor.terminate()
    stage.side.hear(Kind.EXIT)
    stage.side.end()

    assert stage.ended() == 143
    assert stage.heard() == {"command": "stopped"}


def test_a_death_ends_the_container_with_no_message_for_the_worker(stage: Stage) -> None:
    stage.begin_task()
    stage.side.end()

    assert stage.ended() == 1
    [goodbye] = stage.worker.hear()
    assert goodbye.opcode == Opcode.CLOSE


def test_last_words_before_a_death_are_sent(stage: Stage) -> None:
    generation = stage.begin_task()
    stage.side.say(Kind.FINISHED, generation, {"command": "done", "data": 1})
    stage.side.end()

    assert stage.heard()["data"] == 1
    assert stage.ended() == 1


def test_somebody_else_is_connected_already(stage: Stage) -> None:
    stage.tell("alreadyConnectedError", {"hostname": "laptop"})
    stage.side.hear(Kind.EXIT)
    stage.side.end()

    assert stage.ended() == 69
    assert "laptop is connected" in stage.log


def test_a_worker_that_is_gone_is_told_once_while_the_user_s_exit_runs(tmp_path: Path) -> None:
    stage = Stage(tmp_path, WORKER_RECONNECT_TIMEOUT="0.05")
    stage.gateway.close()
    stage.side.hear(Kind.EXIT)
    Thread(target=stage.side.end).start()

    assert stage.ended() == 75
    assert stage.log.count("ending with code 75") == 1
    stage.close()
