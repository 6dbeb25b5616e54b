"""How a connection ends: by the worker, by an error, by us."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from threading import Event, Thread

import pytest
from websockets.frames import Close, Frame
from websockets.protocol import State

from tests.unit.support.peer import LIMIT, Worker, message, read
from wrapper.supervisor.worker.connection import Closed, Connection


# ------------------------------------------------------------------- the worker closes it --
@pytest.mark.parametrize(
    ("code", "reason", "text"),
    [
        (1000, "", "the worker closed the connection with code 1000"),
        (4001, "busy", "the worker closed the connection with code 4001: busy"),
        (1011, "keepalive ping timeout", "code 1011: keepalive ping timeout"),
    ],
)
def test_goodbye_of_the_worker_ends_the_connection(
    connection: Connection, worker: Worker, code: int, reason: str, text: str
) -> None:
    worker.send("last")
    worker.protocol.send_close(code, reason)
    worker.write()

    payloads: list[bytes | bytearray] = []
    closed = None
    while closed is None:
        more, closed = read(connection)
        payloads += more

    assert payloads == [b"last"]
    assert text in closed.reason
    worker.receive()
    assert worker.protocol.close_rcvd == Close(code, ""), "the goodbye is returned"


def test_goodbye_without_a_code(connection: Connection, worker: Worker) -> None:
    worker.protocol.send_close()
    worker.write()

    _, closed = read(connection)

    assert closed
    assert "code 1005" in closed.reason
    worker.receive()
    assert worker.protocol.state is State.CLOSING or worker.protocol.state is State.CLOSED


def test_nothing_is_sent_after_a_goodbye(connection: Connection, worker: Worker) -> None:
    worker.protocol.send_close(1001)
    worker.write()
    read(connection)
    connection.close(patience=0.0)

    data = b""
    while piece := worker.socket.recv(4096):
        data += piece
    assert data[:1] == b"\x88"
    assert len(data) == 8, "one CLOSE frame with its mask and its code"


def test_end_of_stream_ends_the_connection(connection: Connection, worker: Worker) -> None:
    worker.send("last")
    worker.socket.close()

    payloads, closed = read(connection)
    while closed is None:
        more, closed = read(connection)
        payloads += more

    assert payloads == [b"last"]
    assert closed.reason == "the worker closed the connection"


def test_reset_ends_the_connection(connection: Connection, worker: Worker) -> None:
    worker.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    worker.socket.close()

    _, closed = read(connection)

    assert closed == Closed("the connection broke: Connection reset by peer")


@pytest.mark.parametrize("junk", [b"\xff" * 10, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x81\x81"])
def test_junk_ends_the_connection_with_a_reason(
    connection: Connection, worker: Worker, junk: bytes
) -> None:
    worker.socket.sendall(junk)

    _, closed = read(connection)

    assert closed
    assert "broken WebSocket frame" in closed.reason
    worker.receive()
    assert worker.protocol.close_rcvd
    assert worker.protocol.close_rcvd.code == 1002


# ------------------------------------------------------------------------- we close it --
def test_close_waits_for_the_workers_goodbye(connection: Connection, worker: Worker) -> None:
    received: list[Frame] = []

    def answer() -> None:
        received.extend(worker.receive(2))
        worker.write()  # its own goodbye
        worker.socket.close()

    answering = Thread(target=answer)
    answering.start()
    connection.send(message(b"the end"))
    connection.close(patience=LIMIT)
    answering.join(LIMIT)

    assert received[0].data == b"the end"
    assert worker.protocol.close_rcvd == Close(1000, "")


def test_waiting_bytes_are_sent_before_the_goodbye(connection: Connection, worker: Worker) -> None:
    received: list[Frame] = []

    def answer() -> None:
        received.extend(worker.receive(2))
        worker.socket.close()

    answering = Thread(target=answer)
    connection.send(message(b"x" * 20_000_000))
    answering.start()
    connection.close(patience=LIMIT)
    answering.join(LIMIT)

    assert len(received[0].data) == 20_000_000
    assert worker.protocol.close_rcvd


@pytest.mark.parametrize("waiting", [0, 20_000_000])
def test_wait_for_a_silent_worker_is_limited(
    connection: Connection, worker: Worker, waiting: int
) -> None:
    connection.send(message(b"x" * waiting))
    begun = time.monotonic()

    connection.close(patience=0.05)

    assert time.monotonic() - begun < LIMIT / 2
    assert connection.fileno() == -1


def test_wait_for_a_slow_worker_is_limited(connection: Connection, worker: Worker) -> None:
    """No single wait is too long if the worker takes a few bytes now and then."""
    connection.send(message(b"x" * 20_000_000))
    over = Event()

    def drip() -> None:
        with suppress(OSError):
            while worker.socket.recv(100_000) and not over.wait(0.05):
                pass

    dripping = Thread(target=drip)
    dripping.start()
    begun = time.monotonic()
    connection.close(patience=0.1)
    taken = time.monotonic() - begun
    over.set()
    dripping.join(LIMIT)

    assert taken < LIMIT / 4


def test_closing_a_lost_connection_is_not_an_error(connection: Connection, worker: Worker) -> None:
    worker.socket.close()
    connection.close(patience=LIMIT)

    assert connection.fileno() == -1
