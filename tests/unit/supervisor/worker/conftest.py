from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.unit.support.peer import Worker, tcp_pair
from wrapper.supervisor.worker.connection import Connection


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    with tcp_pair() as sockets:
        yield sockets


@pytest.fixture
def worker(sockets: tuple[socket.socket, socket.socket]) -> Worker:
    return Worker(sockets[1])


@pytest.fixture
def connection(sockets: tuple[socket.socket, socket.socket]) -> Connection:
    return Connection(sockets[0], masked=False, binary=False)
