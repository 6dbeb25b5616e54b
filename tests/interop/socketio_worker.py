"""A worker on a real socket.io server: npm's socket.io 2 in a process of node."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from wrapper.protocol.socketio.packets import LISTENED_COMMANDS

FOLDER = Path(__file__).parent
LIMIT = 30.0  # seconds; everything here is immediate
Event = dict[str, Any]


class SocketioWorker:
    """A socket.io server that listens to what HKube's worker listens to.

    Args:
        node: path of node.
        log: file for its errors.
        options: options of the server; the defaults are the worker's.
    """

    def __init__(self, node: str, log: Path, **options: Any) -> None:
        hkubes = {"pingInterval": 60_000, "pingTimeout": 30_000, "maxHttpBufferSize": 100_000_000}
        settings = {"listened": sorted(LISTENED_COMMANDS), **hkubes, **options}
        self.events: list[Event] = []
        self._unread: deque[Event] = deque()
        self._changed = threading.Condition()
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [node, str(FOLDER / "socketio_worker.js"), json.dumps(settings)],
                cwd=FOLDER,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port: int = self.wait_for("listening")["port"]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                event = json.loads(line)
                self.events.append(event)
                self._unread.append(event)
                self._changed.notify_all()

    def wait_for(self, kind: str, name: str | None = None) -> Event:
        """Return the next event of a kind (and with a name); skip others before it."""
        deadline = time.monotonic() + LIMIT
        with self._changed:
            while True:
                while self._unread:
                    event = self._unread.popleft()
                    if event["event"] == kind and name in (None, event.get("name")):
                        return event
                left = deadline - time.monotonic()
                if left <= 0:
                    shown = "\n".join(str(each)[:300] for each in self.events)
                    raise AssertionError(f"no {kind} {name}\n{shown}\n{self._log.read_text()}")
                self._changed.wait(left)

    def ask(self, request: str, **given: Any) -> None:
        """Let the server do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"request": request, **given}) + "\n")
        self._process.stdin.flush()

    def send(self, command: str, data: Any = None) -> None:
        """Send a message, as the worker does; bytes travel as attachments."""
        self.ask("emit", message={"command": command, "data": _to_wire(data)})

    def take(self, command: str) -> Any:
        """Wait for a message with this command; return the message."""
        return self.wait_for("message", command)["message"]

    def begin(self, *inputs: Any) -> None:
        """Start a task, and wait until it is started."""
        job = {"input": list(inputs), "jobId": "job", "taskId": "task", "nodeName": "node"}
        self.send("initialize", {**job, "info": {"isScaled": False}, "spanId": {}})
        self.take("initialized")
        self.send("start", {"spanId": {}})
        self.take("started")

    def run(self, *inputs: Any) -> Any:
        """Run a task, and return its final message."""
        self.begin(*inputs)
        return self.final()

    def final(self) -> Any:
        """Wait for the task's final message."""
        while True:
            event = self.wait_for("message")
            if event["name"] in ("done", "errorMessage"):
                return event["message"]

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait(10)
        self._reader.join()
        self._process.stdout.close()


def _to_wire(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"$raw": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: _to_wire(item) for key, item in value.items()}
    return [_to_wire(item) for item in value] if isinstance(value, list) else value
