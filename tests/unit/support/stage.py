"""A supervisor between a worker and algorithm sides that the test controls."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import Any

from websockets.frames import Opcode

from tests.unit.support.gateway import Gateway
from tests.unit.support.peer import LIMIT
from wrapper.config.settings import Config
from wrapper.ipc import frames as ipc_frames
from wrapper.ipc.frames import Frame, FrameKind, OptionalFunctions
from wrapper.log import Log
from wrapper.supervisor.child.process import Channel
from wrapper.supervisor.supervisor import Supervisor

ALSO_SENT = ("alive", "stopping")


class Side:
    """The algorithm side, and the ends of its pipes."""

    ends_with_its_pipe = True
    status: int | None = None

    def __init__(self) -> None:
        tasks, self._tasks = socket.socketpair()
        control, self._control = socket.socketpair()
        self.channel = Channel(tasks, control)
        self.killed = Event()
        self._cutters = {sock: ipc_frames.frame_cutter() for sock in (self._tasks, self._control)}
        self._received: dict[socket.socket, list[Frame]] = {self._tasks: [], self._control: []}
        for sock in self._cutters:
            sock.settimeout(LIMIT)

    def send(self, kind: FrameKind, generation: int, message: Any = None, raw: bytes = b"") -> None:
        payload = raw if message is None else json.dumps(message).encode()
        self._tasks.sendall(ipc_frames.header(kind, generation, len(payload)) + payload)

    def send_bytes(self, data: bytes) -> None:
        self._tasks.sendall(data)

    def receive(self, kind: FrameKind) -> Frame:
        """Return the next frame, which must be of this kind, from the pipe for its kind."""
        sock = self._control if kind in (FrameKind.ANSWER, FrameKind.INTERRUPT) else self._tasks
        while not self._received[sock]:
            count = sock.recv_into(self._cutters[sock].space())
            assert count, "the supervisor has closed its end"
            self._received[sock] += [
                frame
                for frame in self._cutters[sock].filled(count)
                if sock is self._tasks or frame.kind not in (FrameKind.STOP, FrameKind.EXIT)
            ]
        frame = self._received[sock].pop(0)
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
    """A supervisor in a thread, between a worker and algorithm sides."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.gateway = Gateway()
        self._log_file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        config = Config.from_environ(
            {
                "WORKER_SOCKET_PORT": str(self.gateway.port),
                "WORKER_FIRST_INITIALIZED_DELAY": "0",
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
        self._received: list[dict[str, Any]] = []
        self._thread = Thread(target=self._run)
        self._thread.start()
        self.worker = self.gateway.accept()
        self.side.send(FrameKind.MODULE_LOADED, 0, raw=bytes([OptionalFunctions.INITIALIZE]))

    def _spawn(self) -> Side:
        side = Side()
        self._all.append(side)
        self.sides.put(side)
        return side

    def _run(self) -> None:
        self.code = self.supervisor.run(self.side)

    def send_command(self, command: str, data: Any = None) -> None:
        self.worker.send(json.dumps({"command": command, "data": data}))

    def next_message(self) -> dict[str, Any]:
        """Return the next message to the worker; skip those that are sent by a timer."""
        while not self._received:
            frames = self.worker.receive()
            assert frames, "the wrapper has closed the connection"
            texts = [frame.data for frame in frames if frame.opcode == Opcode.TEXT]
            messages = [json.loads(bytes(text)) for text in texts]
            self._received += [each for each in messages if each["command"] not in ALSO_SENT]
        return self._received.pop(0)

    def begin_task(self) -> int:
        """Start a task, until its code runs; return its generation."""
        self.send_command("initialize", {"input": [1]})
        generation = self.side.receive(FrameKind.INITIALIZE).generation
        self.side.send(FrameKind.INITIALIZE_COMPLETED, generation)
        assert self.next_message() == {"command": "initialized"}
        self.send_command("start")
        assert self.side.receive(FrameKind.START).generation == generation
        assert self.next_message() == {"command": "started"}
        return generation

    def ended(self) -> int:
        """Wait for the end; return the exit code."""
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
