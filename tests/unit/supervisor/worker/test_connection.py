"""A connection over real sockets, with the `websockets` library as the worker."""

from __future__ import annotations

import select
import socket
import struct
from threading import Thread

import pytest
from websockets.frames import Frame, Opcode

from tests.unit.support.peer import LIMIT, Worker, message, read, read_all
from wrapper.supervisor.worker.connection import Connection


# ------------------------------------------------------------------------------- reading --
def test_messages_arrive_in_order(connection: Connection, worker: Worker) -> None:
    worker.send("one", b"two", "")

    assert read_all(connection, 3) == [b"one", b"two", b""]


def test_reading_nothing_is_not_an_error(connection: Connection) -> None:
    assert connection.read() == ([], None)


def test_incomplete_frame_waits_for_its_rest(connection: Connection, worker: Worker) -> None:
    worker.protocol.send_text(b"hello")
    data = b"".join(worker.protocol.data_to_send())
    worker.socket.sendall(data[:3])
    assert read(connection) == ([], None)

    worker.socket.sendall(data[3:])
    assert read(connection) == ([b"hello"], None)


def test_large_message_is_received(connection: Connection, worker: Worker) -> None:
    message = "x" * 5_000_000
    sender = Thread(target=worker.send, args=(message, "next"))
    sender.start()
    messages = read_all(connection, 2)
    sender.join(LIMIT)

    assert messages == [message.encode(), b"next"]


def test_pings_are_answered_with_their_payload(connection: Connection, worker: Worker) -> None:
    worker.protocol.send_ping(b"are you there")
    worker.write()
    worker.send("message")

    assert read_all(connection, 1) == [b"message"]
    assert [(frame.opcode, frame.data) for frame in worker.receive()] == [
        (Opcode.PONG, b"are you there")
    ]


def test_pong_is_not_a_message(connection: Connection, worker: Worker) -> None:
    worker.protocol.send_pong(b"")
    worker.write()
    worker.send("message")

    assert read_all(connection, 1) == [b"message"]


def test_our_ping_is_answered_by_the_library(connection: Connection, worker: Worker) -> None:
    connection.ping()

    assert [frame.opcode for frame in worker.receive()] == [Opcode.PING]
    worker.write()
    assert read(connection) == ([], None)


# ------------------------------------------------------------------------------- sending --
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("binary", [False, True])
def test_sent_message_arrives(
    sockets: tuple[socket.socket, socket.socket], masked: bool, binary: bool
) -> None:
    connection, worker = Connection(sockets[0], masked, binary), Worker(sockets[1])
    connection.send(message(b"one"))
    connection.send(message(bytearray(b"two")))

    frames = worker.receive(2)

    assert [frame.data for frame in frames] == [b"one", b"two"]
    assert {frame.opcode for frame in frames} == {Opcode.BINARY if binary else Opcode.TEXT}


def test_bytes_that_are_not_accepted_wait(connection: Connection, worker: Worker) -> None:
    payload = b"x" * 20_000_000
    connection.send(message(payload))
    connection.send(message(b"next"))
    assert connection.outbox.waiting_bytes
    received: list[Frame] = []
    receiver = Thread(target=lambda: received.extend(worker.receive(2)))
    receiver.start()

    while connection.outbox.waiting_bytes:
        assert select.select([], [connection], [], LIMIT)[1]
        connection.outbox.flush()
    receiver.join(LIMIT)

    assert [len(frame.data) for frame in received] == [20_000_000, 4]


def test_pong_waits_its_turn(connection: Connection, worker: Worker) -> None:
    connection.send(message(b"x" * 20_000_000))
    worker.protocol.send_ping(b"now")
    worker.write()
    read(connection)
    received: list[Frame] = []
    receiver = Thread(target=lambda: received.extend(worker.receive(2)))
    receiver.start()
    while connection.outbox.waiting_bytes:
        assert select.select([], [connection], [], LIMIT)[1]
        connection.outbox.flush()
    connection.release_sent()
    receiver.join(LIMIT)

    assert [frame.opcode for frame in received] == [Opcode.TEXT, Opcode.PONG]


def test_message_that_a_broken_connection_does_not_take_is_given_back(
    connection: Connection, worker: Worker
) -> None:
    worker.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    worker.socket.close()
    assert select.select([connection], [], [], LIMIT)[0]

    first, second = message(b"first"), message(b"x" * 100_000)
    connection.send(first)
    connection.ping()  # does not raise: the next read reports it
    connection.send(second)
    assert connection.read()[1]
    assert connection.give_up() == [first, second]


def test_message_that_went_out_whole_is_not_given_back(
    connection: Connection, worker: Worker
) -> None:
    whole, partly, waiting = message(b"whole"), message(b"x" * 20_000_000), message(b"waits")
    for each in (whole, partly, waiting):
        connection.send(each)

    assert connection.give_up() == [partly, waiting]
    assert connection.give_up() == []
    connection.send(message(b"later"))
    worker.socket.setblocking(False)
    received = b""
    try:
        while data := worker.socket.recv(1 << 20):
            received += data
    except BlockingIOError:
        pass
    assert not received.endswith(b"later"), "it would look like the rest of the large message"


def test_pong_says_which_ping_it_answers(connection: Connection, worker: Worker) -> None:
    connection.ping(b"7")
    worker.receive()
    worker.write()
    read(connection)

    assert connection.last_pong == b"7"


def test_only_the_newest_ping_of_a_worker_that_does_not_read_is_answered(
    connection: Connection, worker: Worker
) -> None:
    connection.send(message(b"x" * 5_000_000))
    waiting = connection.outbox.waiting_bytes
    for number in range(500):
        worker.protocol.send_ping(b"%d" % number)
        worker.write()
        connection.read()
    assert connection.outbox.waiting_bytes == waiting, "nothing piles up"

    received: list[Frame] = []
    receiver = Thread(target=lambda: received.extend(worker.receive(2)))
    receiver.start()
    while connection.outbox.waiting_bytes:
        assert select.select([], [connection], [], LIMIT)[1]
        connection.outbox.flush()
    connection.release_sent()
    receiver.join(LIMIT)
    assert [(frame.opcode, bytes(frame.data[:3])) for frame in received] == [
        (Opcode.TEXT, b"xxx"),
        (Opcode.PONG, b"499"),
    ]


def test_one_round_reads_no_more_than_its_share(connection: Connection, worker: Worker) -> None:
    count = 30_000
    for _ in range(count):
        worker.protocol.send_text(b"{}")
    worker.write()
    first, closed = connection.read()

    assert closed is None
    assert 0 < len(first) < count, "the loop sends `alive` in between"
    assert len(first) + len(read_all(connection, count - len(first))) == count
