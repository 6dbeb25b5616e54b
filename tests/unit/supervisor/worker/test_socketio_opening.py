"""Opening a socket.io session over real sockets, plain and TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
import trustme
from websockets.sync.server import ServerConnection, serve

from tests.unit.support.peer import LIMIT, Worker, read_all, tcp_pair
from wrapper.protocol.socketio.session import SessionError
from wrapper.supervisor.worker import connector
from wrapper.supervisor.worker.connector import (
    ConnectionTarget,
    Opened,
    Refused,
    open_connection,
)
from wrapper.supervisor.worker.socketio_connection import SocketioConnection
from wrapper.supervisor.worker.socketio_opening import open_session


@contextmanager
def server(*messages: str, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Run a server that sends messages to whoever connects; yield its port."""

    def greet(connection: ServerConnection) -> None:
        for message in messages:
            connection.send(message)
        for _ in connection:
            pass

    with serve(greet, "127.0.0.1", 0, ssl=context) as running:
        serving = Thread(target=running.serve_forever)
        serving.start()
        try:
            yield running.socket.getsockname()[1]
        finally:
            running.shutdown()
            serving.join(LIMIT)


def target(port: int, tls: bool = False) -> ConnectionTarget:
    host = "localhost" if tls else "127.0.0.1"
    return ConnectionTarget(f"ws{'s' * tls}://{host}:{port}/socket.io/", host, port, tls, True)


@pytest.mark.parametrize("tls", [False, True])
def test_what_follows_the_session_start_is_left_for_the_connection(
    tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = None
    if tls:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", str(tmp_path / "ca.pem"))
    padding = "x" * 300  # a length of two bytes
    opening = f'0{{"pingInterval":5000,"padding":"{padding}"}}'
    with server(opening, "40", '42["stop",{}]', context=context) as port:
        outcome = open_connection(target(port, tls))
        assert isinstance(outcome, Opened), outcome
        assert outcome.ping_every == 5.0
        connection = SocketioConnection(outcome.stream, masked=True)
        if tls and outcome.stream.pending():  # type: ignore[attr-defined]
            payloads, _ = connection.read()
        else:
            payloads = read_all(connection, 1)
        assert payloads == [b"{}"]
        connection.close()


def test_server_that_speaks_something_else_is_refused() -> None:
    with server('{"command":"initialize"}') as port:
        outcome = open_connection(target(port))
    assert isinstance(outcome, Refused)
    assert "it does not speak socket.io 2" in outcome.reason


def test_silent_server_is_refused_with_the_setting_to_compare(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connector, "HANDSHAKE_TIMEOUT", 0.2)
    with server() as port:
        outcome = open_connection(target(port))
    assert isinstance(outcome, Refused)
    assert "WORKER_ALGORITHM_PROTOCOL=socket" in outcome.reason


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"\x88\x05\x03\xf0bye", "it closed the connection with code 1008 bye"),
        (b"\x81\x7f\x00\x00\x00\x00\x01\x00\x00\x00", "a message of 16,777,216 bytes"),
        (b"\x81\x030{}\x81", "closed the connection before a socket.io session"),
    ],
)
def test_other_ends_of_an_opening_say_what_happened(sent: bytes, reason: str) -> None:
    with tcp_pair() as (ours, theirs):
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(SessionError, match=reason):
            open_session(ours)


def test_pings_of_the_websocket_are_passed_over() -> None:
    with tcp_pair() as (ours, theirs):
        Worker(theirs).send("0{}")
        worker = Worker(theirs)
        worker.protocol.send_ping(b"x")
        worker.send("40")
        assert open_session(ours) == 25.0
