"""A link whose clock and network the test controls."""

from __future__ import annotations

import socket

from tests.unit.support.peer import Worker
from wrapper.supervisor.worker.connection import Connection
from wrapper.supervisor.worker.link import LinkSettings, WorkerLink


class Network:
    """Creates connections for a link, and keeps the worker's ends of them."""

    def __init__(self) -> None:
        self.tries = 0
        self.workers: list[Worker] = []
        self._sockets: list[socket.socket] = []

    def connect(self) -> None:
        self.tries += 1

    def connection(self) -> Connection:
        ours, theirs = socket.socketpair()
        self._sockets += (ours, theirs)
        self.workers.append(Worker(theirs))
        return Connection(ours, masked=False, binary=False)

    def link(
        self,
        give_up_after: float | None = 60.0,
        pings: bool = False,
        max_payload: int = 100_000_000,
    ) -> WorkerLink:
        settings = LinkSettings(give_up_after, pings, max_payload)
        return WorkerLink(settings, self.connect, rand=lambda: 1.0)

    def heard(self) -> list[bytes]:
        """Return what the latest worker has received so far: texts, and pings as b"PING"."""
        worker = self.workers[-1]
        worker.socket.setblocking(False)
        try:
            frames = worker.hear(1)
        except BlockingIOError:
            frames = []
        worker.socket.setblocking(True)
        return [bytes(frame.data) or b"PING" for frame in frames]

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()


def nothing(connection: Connection) -> None:
    """Stand in for the poller's callback before a connection is closed."""


def open_link(link: WorkerLink, network: Network, now: float, busy: bool = False) -> None:
    link.opened(network.connection(), now, task_under_way=busy)


def tick_to(link: WorkerLink, until: float) -> str | None:
    """Call `tick` whenever it is due, until a time; return why the worker counts as gone."""
    while (due := link.deadline()) is not None and due <= until:
        gone = link.tick(due, nothing)
        if gone is not None:
            return gone
    return None
