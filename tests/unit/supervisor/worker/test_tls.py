"""wss over real TLS connections, with a certificate made for the test."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest
import trustme
from websockets.frames import Frame

from tests.unit.support.peer import LIMIT, Worker, message, read, read_all, tcp_pair
from wrapper.supervisor.worker.connection import Connection
from wrapper.supervisor.worker.tls import TlsStream

Pair = tuple[ssl.SSLSocket, ssl.SSLSocket]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def sockets(authority: trustme.CA) -> Iterator[Pair]:
    """Both ends of a TLS connection."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("worker.test").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    with tcp_pair() as (ours, theirs):
        accepted: list[ssl.SSLSocket] = []
        accepting = Thread(target=lambda: accepted.append(server.wrap_socket(theirs, True)))
        theirs.settimeout(LIMIT)
        accepting.start()
        secure = client.wrap_socket(ours, server_hostname="worker.test", suppress_ragged_eofs=False)
        accepting.join(LIMIT)
        with secure, accepted[0]:
            yield secure, accepted[0]


@pytest.fixture
def connection(sockets: Pair) -> Connection:
    return Connection(TlsStream(sockets[0]), masked=True, binary=False)


@pytest.fixture
def worker(sockets: Pair) -> Worker:
    return Worker(sockets[1])


def test_reading_nothing_is_not_an_error(connection: Connection) -> None:
    assert connection.read() == ([], None)


def test_messages_are_exchanged(connection: Connection, worker: Worker) -> None:
    connection.send(message(b"hello"))
    assert [frame.data for frame in worker.receive()] == [b"hello"]

    worker.send("hello back")
    assert read_all(connection, 1) == [b"hello back"]


def test_bytes_that_tls_has_already_decrypted_are_read(
    connection: Connection, worker: Worker
) -> None:
    """The socket is no longer readable while the rest of a record waits inside TLS."""
    worker.send(*["x" * 1000] * 15)

    assert len(read_all(connection, 15)) == 15


def test_large_message_is_received(connection: Connection, worker: Worker) -> None:
    sending = Thread(target=worker.send, args=("x" * 3_000_000,))
    sending.start()
    [message] = read_all(connection, 1)
    sending.join(LIMIT)

    assert len(message) == 3_000_000


def test_large_message_is_sent(connection: Connection, worker: Worker) -> None:
    received: list[Frame] = []
    receiving = Thread(target=lambda: received.extend(worker.receive(2)))
    connection.send(message(b"x" * 10_000_000))
    connection.send(message(b"next"))
    assert connection.outbox.waiting_bytes
    receiving.start()
    while connection.outbox.waiting_bytes:
        assert select.select([], [connection], [], LIMIT)[1]
        connection.outbox.flush()
    receiving.join(LIMIT)

    assert [len(frame.data) for frame in received] == [10_000_000, 4]


def test_worker_ends_tls(connection: Connection, worker: Worker) -> None:
    def end() -> None:
        assert isinstance(worker.socket, ssl.SSLSocket)
        with suppress(OSError):  # we close while it waits for our end of TLS
            worker.socket.unwrap()

    ending = Thread(target=end)
    ending.start()
    _, closed = read(connection)
    while closed is None:
        _, closed = read(connection)
    connection.close(patience=0.0)
    ending.join(LIMIT)

    assert closed.reason == "the worker closed the connection"


def test_worker_disappears(connection: Connection, worker: Worker) -> None:
    worker.socket.shutdown(socket.SHUT_RDWR)

    _, closed = read(connection)
    while closed is None:
        _, closed = read(connection)

    assert closed.reason == "the worker closed the connection"


def test_broken_record_ends_the_connection_with_a_reason(
    connection: Connection, sockets: Pair
) -> None:
    with socket.socket(fileno=sockets[1].detach()) as plain:
        plain.sendall(b"this is no TLS record at all" * 10)
        _, closed = read(connection)
        while closed is None:
            _, closed = read(connection)

    assert "the connection broke: " in closed.reason


def test_close_says_goodbye(connection: Connection, worker: Worker) -> None:
    connection.send(message(b"the end"))

    def answer() -> None:
        worker.receive(2)
        worker.socket.shutdown(socket.SHUT_RDWR)

    answering = Thread(target=answer)
    answering.start()
    connection.close(patience=LIMIT)
    answering.join(LIMIT)

    assert worker.protocol.close_rcvd
    assert worker.protocol.close_rcvd.code == 1000
    assert connection.fileno() == -1
