"""An open socket.io connection over real sockets, with the worker's end at the other side."""

from __future__ import annotations

import socket

import pytest
from websockets.frames import Frame, Opcode

from tests.unit.support.peer import Worker, message, read, read_all
from wrapper.supervisor.worker.connection import Closed
from wrapper.supervisor.worker.socketio_connection import SocketioConnection, command_of


@pytest.fixture
def connection(sockets: tuple[socket.socket, socket.socket]) -> SocketioConnection:
    return SocketioConnection(sockets[0], masked=False)


def texts(frames: list[Frame]) -> list[bytes]:
    return [bytes(frame.data) for frame in frames if frame.opcode is Opcode.TEXT]


def test_messages_travel_as_events(connection: SocketioConnection, worker: Worker) -> None:
    connection.send(message(b'{"command":"done","data":1}'))
    assert texts(worker.receive()) == [b'42["done",{"command":"done","data":1}]']
    worker.send('42["start",{"command":"start"}]', '451-["initialize",{"a":{"_placeholder":true')
    assert read_all(connection, 1) == [b'{"command":"start"}']


def test_pings_are_answered_at_both_layers(connection: SocketioConnection, worker: Worker) -> None:
    worker.send("2probe", "2")
    worker.protocol.send_ping(b"x")
    worker.write()
    read(connection)
    frames = worker.receive(3)
    assert texts(frames) == [b"3probe", b"3"]
    assert [frame.data for frame in frames if frame.opcode is Opcode.PONG] == [b"x"]


def test_plain_pings_are_engine_io_and_numbered_ones_are_answered_with_their_number(
    connection: SocketioConnection, worker: Worker
) -> None:
    connection.ping()
    connection.ping(b"7")
    frames = worker.receive(2)
    assert texts(frames) == [b"2"]
    worker.write()  # the protocol's own answer to the second
    read(connection)
    assert connection.last_pong == b"7"


@pytest.mark.parametrize("packet", ["41", "1"])
def test_end_of_the_session_ends_the_connection(
    connection: SocketioConnection, worker: Worker, packet: str
) -> None:
    worker.send('42["stop",{}]', packet)
    assert read(connection) == ([b"{}"], Closed("the worker closed the socket.io session"))


@pytest.mark.parametrize("packet", ["9", b"\x04x"])
def test_broken_packet_ends_the_connection_with_a_goodbye(
    connection: SocketioConnection, worker: Worker, packet: str | bytes
) -> None:
    worker.send(packet)
    _, closed = read(connection)
    assert closed is not None and "broken socket.io packet" in closed.reason
    frames = worker.receive(2)
    assert texts(frames) == [b"41"]
    assert frames[-1].opcode is Opcode.CLOSE


def test_close_says_goodbye_once_at_both_layers(
    connection: SocketioConnection, worker: Worker
) -> None:
    connection.close(patience=0.0)
    frames = worker.receive(2)
    assert [frame.opcode for frame in frames] == [Opcode.TEXT, Opcode.CLOSE]
    assert texts(frames) == [b"41"]


@pytest.mark.parametrize(
    ("payload", "command"),
    [
        (b'{"command":"done"}', "done"),
        (b'{"data":{"command":"no"},"command":"done"}', "done"),
        (b'{"command":7}', None),
        (b"[]", None),
    ],
)
def test_command_is_found_wherever_it_stands(payload: bytes, command: str | None) -> None:
    assert command_of(payload) == command
