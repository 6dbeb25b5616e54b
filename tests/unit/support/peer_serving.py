"""A server of results on a poller, in a thread of the test."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from queue import Queue
from threading import Thread
from typing import TypeVar

from tests.free_ports import free_port
from wrapper.config.storage_settings import DiscoverySettings
from wrapper.storage.format.encoded import encode_value
from wrapper.storage.format.references import Peer, StoredReference
from wrapper.storage.peers.held_results import Held, HeldResults
from wrapper.supervisor.loop.poller import Poller
from wrapper.supervisor.loop.wakeup import Wakeup
from wrapper.supervisor.peers.server import PeerServer

LIMIT = 20.0  # seconds
MOST = 10  # connections to a port
BUDGET = 10_000_000  # bytes

ResultT = TypeVar("ResultT")


def discovery(port: int, **changes: object) -> DiscoverySettings:
    plain = DiscoverySettings(True, "127.0.0.1", port, 0, "msgpack", 10.0, 2.0, 400, 60.0)
    return plain._replace(**changes)  # type: ignore[arg-type]


class Serving:
    """A server with results.

    Args:
        changes: of the settings.
    """

    def __init__(self, **changes: object) -> None:
        self.held = HeldResults(BUDGET)
        self.reports: Queue[float] = Queue()
        self.crowds: Queue[int] = Queue()
        self._poller = Poller()
        self._wakeup = Wakeup()
        self._poller.watch(self._wakeup, self._wakeup.read)  # type: ignore[arg-type]
        self._is_open = True
        while True:
            self.settings = discovery(free_port(), **changes)
            self.server = PeerServer(
                self.settings,
                self.held,
                self._poller,
                lambda: self.reports.put(time.monotonic()),
                self.crowds.put,
                MOST,
            )
            try:
                self.server.start()
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            break
        self.peer = Peer("127.0.0.1", self.settings.port)
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def hold(self, task: str, value: object, encoding: str = "msgpack") -> bool:
        """Hold a value as the result of a task; return whether it is held."""
        encoded = encode_value(value, encoding, "result")
        result = Held(encoded.header, memoryview(bytes(encoded.payload)))
        return self.run(lambda: self.held.hold(task, result))

    def link(self, task: str) -> StoredReference:
        """Return a reference to a result that this server may hold."""
        return StoredReference(f"b/{task}", peer=self.peer, task_id=task)

    def run(self, call: Callable[[], ResultT]) -> ResultT:
        """Call a function in the loop's thread and return its result."""
        results: Queue[ResultT] = Queue()
        self._wakeup.post(lambda: results.put(call()))
        return results.get(timeout=LIMIT)

    def close(self) -> None:
        """End the server and its thread."""
        self.run(self.server.close)
        self._is_open = False
        self._wakeup.post(lambda: None)
        self._thread.join(LIMIT)
        self._wakeup.close()

    def _run(self) -> None:
        while self._is_open:
            due = self.server.deadline()
            self._poller.wait(None if due is None else max(0.0, due - time.monotonic()))
            if due is not None and time.monotonic() >= due:
                self.server.tick(time.monotonic())
