"""The connection to the worker, with real sockets in a loop that the test runs."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
import trustme

from tests.unit.support.gateway import Gateway
from tests.unit.support.peer import LIMIT
from tests.unit.support.peer import Worker as Peer
from wrapper.log import Log
from wrapper.supervisor.loop.counted_log import CountedLog
from wrapper.supervisor.loop.poller import Poller
from wrapper.supervisor.loop.wakeup import Wakeup
from wrapper.supervisor.worker.connector import ConnectionTarget
from wrapper.supervisor.worker.link import LinkSettings
from wrapper.supervisor.worker.unsent import MessageKind
from wrapper.supervisor.worker.worker import Worker


class Loop:
    """The part of the supervisor's loop that serves the worker."""

    def __init__(self, port: int, tls: bool = False, pings: bool = False) -> None:
        self.poller = Poller()
        self.wakeup = Wakeup()
        self.messages: list[bytes | bytearray] = []
        self.on_messages: Callable[[list[bytes | bytearray]], None] = self.messages.extend
        self._log_file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        host = "localhost" if tls else "127.0.0.1"
        target = ConnectionTarget(f"ws{'s' if tls else ''}://{host}:{port}/", host, port, tls)
        self.worker = Worker(
            target,
            LinkSettings(give_up_after=None, pings=pings, max_payload=10**9),
            "json",
            self.poller,
            self.wakeup,
            Log("debug", fd=self._log_file.fileno()),
            CountedLog(Log("debug", fd=self._log_file.fileno())),
            on_messages=self._received,
            on_lost=lambda: None,
            is_task_under_way=lambda: False,
        )
        self.poller.watch(self.wakeup, self._woken)
        self.worker.connect()

    def _received(self, payloads: list[bytes | bytearray]) -> None:
        self.on_messages(payloads)

    def _woken(self) -> None:
        self.wakeup.read()

    def run_until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < deadline, "the condition was not met"
            due = self.worker.deadline()
            patience = 0.1 if due is None else max(0.0, min(0.1, due - time.monotonic()))
            self.poller.wait(patience)
            if due is not None and time.monotonic() >= due:
                self.worker.tick(time.monotonic())

    @property
    def is_connected(self) -> bool:
        return self.worker.outbox is not None

    @property
    def log(self) -> str:
        return os.pread(self._log_file.fileno(), 1 << 20, 0).decode()

    def close(self) -> None:
        self.worker.close(patience=0.0)
        self.wakeup.close()
        self._log_file.close()


class Both:
    """A gateway, and a loop that connects to it."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.gateway = Gateway(context)
        self.loop = Loop(self.gateway.port, tls=context is not None)
        self._peers: list[Peer] = []

    def accept(self, *first: str) -> Peer:
        """Let the worker accept the connection while the loop runs."""
        before = len(self._peers)
        accepting = Thread(target=lambda: self._peers.append(self.gateway.accept(*first)))
        accepting.start()
        self.loop.run_until(lambda: self.loop.is_connected and len(self._peers) > before)
        accepting.join(LIMIT)
        return self._peers[-1]

    def close(self) -> None:
        self.loop.close()
        self.gateway.close()


@pytest.fixture
def both() -> Iterator[Both]:
    both = Both()
    yield both
    both.close()


def test_messages_are_exchanged(both: Both) -> None:
    peer = both.accept("first")
    peer.send("second")
    both.loop.run_until(lambda: len(both.loop.messages) == 2)
    both.loop.worker.send(b"answer", MessageKind.TASK)

    assert both.loop.messages == [b"first", b"second"]
    assert [frame.data for frame in peer.receive()] == [b"answer"]
    assert f"connected to the worker at ws://127.0.0.1:{both.gateway.port}/" in both.loop.log


def test_waiting_bytes_are_sent_as_the_worker_reads(both: Both) -> None:
    peer = both.accept()
    both.loop.worker.send(b"x" * 20_000_000, MessageKind.TASK)
    assert both.loop.worker.waiting_bytes
    received: list[int] = []
    reading = Thread(target=lambda: received.extend(len(frame.data) for frame in peer.receive()))
    reading.start()
    both.loop.run_until(lambda: not both.loop.worker.waiting_bytes)
    reading.join(LIMIT)

    assert received == [20_000_000]


def test_lost_connection_is_reported_and_opened_again(both: Both) -> None:
    peer = both.accept()
    peer.send("last")
    peer.protocol.send_close(1001, "going away")
    peer.write()
    both.loop.run_until(lambda: not both.loop.is_connected)
    second = both.accept("hello again")
    both.loop.run_until(lambda: len(both.loop.messages) == 2)

    assert both.loop.messages == [b"last", b"hello again"]
    assert "closed the connection with code 1001: going away: reconnecting" in both.loop.log
    both.loop.worker.send(b"answer", MessageKind.TASK)
    assert [frame.data for frame in second.receive()] == [b"answer"]


def test_message_may_end_its_own_connection(both: Both) -> None:
    """For example if its handler closes the worker."""
    both.loop.on_messages = lambda messages: both.loop.worker.close(patience=0.0)
    peer = both.accept()
    peer.send("exit")
    peer.socket.close()
    both.loop.run_until(lambda: not both.loop.is_connected)

    assert "reconnecting" not in both.loop.log


def test_unreachable_worker_is_reported_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    loop = Loop(port)
    tries = 0

    def tried_often() -> bool:
        nonlocal tries
        tries += loop.worker.deadline() is None
        return tries > 5

    loop.run_until(tried_often)
    assert loop.log.count("nothing listens there") == 1
    loop.close()


def test_first_message_in_the_same_record_as_the_handshake_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TLS the socket then has nothing left that would wake the loop."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("NO_PROXY", "*")
    both = Both(context)
    both.accept("initialize", "start")
    both.loop.run_until(lambda: len(both.loop.messages) == 2)

    assert both.loop.messages == [b"initialize", b"start"]
    both.close()
