"""A worker connection whose clock and network the test controls."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from websockets.frames import Frame, Opcode

from tests.unit.support import peer
from wrapper.log import Log
from wrapper.supervisor.loop.counted_log import CountedLog
from wrapper.supervisor.loop.poller import Poller
from wrapper.supervisor.loop.wakeup import Wakeup
from wrapper.supervisor.worker.connector import ConnectionTarget, Opened, Refused
from wrapper.supervisor.worker.link import LinkSettings
from wrapper.supervisor.worker.worker import Worker

Report = Callable[[Opened | Refused], None]


class Network:
    """Opens and breaks connections when the test says so, and keeps the other ends of them."""

    def __init__(
        self,
        max_payload: int = 100_000_000,
        give_up_after: float = 60.0,
        worker_waits: bool = True,
        silent_for: float = 0.0,
        tcp: bool = False,
        socketio: bool = False,
    ) -> None:
        self._pair = peer.tcp_sockets if tcp else socket.socketpair
        self.workers: list[peer.Worker] = []
        self.losses: list[float] = []
        self._now = 0.0
        self._busy = False
        self._poller = Poller()
        self._wakeup = Wakeup()
        self._sockets: list[socket.socket] = []
        self._reports: list[Report] = []
        self._log_fd = os.memfd_create("log")
        self.worker = Worker(
            ConnectionTarget("ws://127.0.0.1:1/", "127.0.0.1", 1, False, socketio),
            LinkSettings(give_up_after, False, max_payload, worker_waits, silent_for),
            "json",
            self._poller,
            self._wakeup,
            Log("debug", fd=self._log_fd),
            CountedLog(Log("debug", fd=self._log_fd)),
            on_messages=lambda payloads: None,
            on_lost=lambda: self.losses.append(self._now),
            is_task_under_way=lambda: self._busy,
            open_connection=lambda target, report: self._reports.append(report),
            clock=lambda: self._now,
        )

    def open(self, now: float, busy: bool = False) -> None:
        """Open a connection at `now`; `busy`: while a task is under way."""
        self._now, self._busy = now, busy
        self.worker.connect()
        ours, theirs = self._pair()
        self._sockets += (ours, theirs)
        self.workers.append(peer.Worker(theirs))
        self._reports.pop()(Opened(ours))
        self._wakeup.read()
        assert self.worker.outbox is not None

    def lose(self, now: float) -> None:
        """Break the connection at `now`."""
        self.workers[-1].socket.close()
        self.wait_lost(now)

    def tick_to(self, until: float) -> str | None:
        """Call `tick` whenever it is due, up to a moment; return why the worker counts as gone."""
        while (due := self.worker.deadline()) is not None and due <= until:
            self._now = due
            gone = self.worker.tick(due)
            if gone is not None:
                return gone
        return None

    def turn(self) -> None:
        """Let the loop make one round."""
        self._poller.wait(0.0)
        self.worker.send_waiting()

    def wait_lost(self, now: float) -> None:
        """Let the loop notice at `now` that the connection is broken."""
        self._now = now
        while self.worker.outbox is not None:
            self._poller.wait(peer.LIMIT)

    def received(self) -> list[bytes]:
        """Return the messages that the newest worker has received by now."""
        worker = self.workers[-1]
        worker.socket.setblocking(False)
        frames: list[Frame] = []
        try:
            while True:
                more = worker.receive(1)
                frames += more
                if not more:
                    break
        except BlockingIOError:
            pass
        worker.socket.setblocking(True)
        return [bytes(each.data) for each in frames if each.opcode in (Opcode.TEXT, Opcode.CLOSE)]

    def receive_all(self) -> list[bytes]:
        """Let the worker read everything that is on its way; return the messages."""
        messages = self.received()
        while self.worker.waiting_bytes:
            self.turn()
            messages += self.received()
        return messages + self.received()

    @property
    def log(self) -> str:
        return os.pread(self._log_fd, 1 << 20, 0).decode()

    def close(self) -> None:
        self._wakeup.close()
        os.close(self._log_fd)
        for sock in self._sockets:
            sock.close()
