"""The remote worker's end of a connection, to test our end."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.frames import Frame
from websockets.protocol import State
from websockets.server import ServerProtocol

from wrapper.supervisor.worker.connection import Closed, Connection
from wrapper.supervisor.worker.unsent import Message, MessageKind

LIMIT = 10.0


class Worker:
    """The remote worker: the `websockets` protocol over a blocking socket."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(LIMIT)
        self.socket = sock
        self.protocol = ServerProtocol(state=State.OPEN, max_size=None)

    def send(self, *messages: str | bytes) -> None:
        for message in messages:
            if isinstance(message, str):
                self.protocol.send_text(message.encode())
            else:
                self.protocol.send_binary(message)
        self.write()

    def write(self) -> None:
        data = b"".join(self.protocol.data_to_send())
        self.socket.sendall(data)

    def receive(self, count: int = 1) -> list[Frame]:
        """Return the next frames, at least `count` of them."""
        received: list[Frame] = []
        while len(received) < count:
            data = self.socket.recv(1 << 20)
            if not data:
                self.protocol.receive_eof()
                break
            self.protocol.receive_data(data)
            received += [
                event for event in self.protocol.events_received() if isinstance(event, Frame)
            ]
        return received


def message(payload: bytes | bytearray) -> Message:
    """Return a message of user code, for the worker."""
    return Message(payload, MessageKind.TASK)


@contextmanager
def tcp_pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Yield both ends of a TCP connection."""
    ours, theirs = tcp_sockets()
    with ours, theirs:
        yield ours, theirs


def tcp_sockets() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname(), timeout=LIMIT)
        theirs, _ = server.accept()
    return ours, theirs


def read(connection: Connection) -> tuple[list[bytes | bytearray], Closed | None]:
    """Read what arrives next."""
    assert select.select([connection], [], [], LIMIT)[0], "nothing arrived"
    return connection.read()


def read_all(connection: Connection, count: int) -> list[bytes | bytearray]:
    """Return the next messages, at least `count` of them."""
    messages: list[bytes | bytearray] = []
    while len(messages) < count:
        payloads, closed = read(connection)
        assert closed is None
        messages += payloads
    return messages
