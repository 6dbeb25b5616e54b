"""The time limits of a peer's connection, with the test's own clock."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from wrapper.protocol.zmtp.frames import Limits, command_bytes, message_pieces
from wrapper.protocol.zmtp.handshake import GREETING, REQ, Ready, ready_command
from wrapper.supervisor.loop.poller import Poller
from wrapper.supervisor.peers.asking_peer import (
    HANDSHAKE_WITHIN,
    HEARTBEAT_EVERY,
    REPLY_WITHIN,
    REQUEST_WITHIN,
    SLOWEST_PEER,
    AskingPeer,
)
from wrapper.supervisor.peers.request_memory import RequestMemory

LIMIT = 10.0
OPENING = GREETING + ready_command(Ready(REQ, b""))
LARGE = 3_000_000  # more than the socket takes


class Connection:
    """A connection between a test and an `AskingPeer`."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.requests: list[list[bytes]] = []
        self.ends = 0
        self.sent = 0
        self.poller = Poller()
        self.memory = RequestMemory(1_000_000)
        ours, self.theirs = socket.socketpair()
        self.theirs.settimeout(LIMIT)
        self.peer = AskingPeer(
            ours,
            Limits(1_000_000),
            self.memory,
            self.poller,
            self.take,
            self.note_end,
            lambda: self.now,
        )
        self.peer.start()

    @property
    def is_closed(self) -> bool:
        return self.ends > 0

    def take(self, peer: AskingPeer) -> None:
        assert peer.request is not None
        self.requests.append([bytes(frame) for frame in peer.request.body])

    def note_end(self, peer: AskingPeer) -> None:
        self.ends += 1

    def note_sent(self) -> None:
        self.sent += 1

    def send(self, data: bytes) -> None:
        """Send bytes and let the peer read them."""
        self.theirs.sendall(data)
        self.go_on()

    def go_on(self) -> None:
        """Let the loop handle what has arrived."""
        for _ in range(50):
            self.poller.wait(0)

    def ask(self) -> None:
        self.send(b"".join(message_pieces([b"", b"request"])))

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        if self.now >= self.peer.due:
            self.peer.tick(self.now)


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = Connection()
    yield made
    made.peer.close()
    made.theirs.close()


def test_stranger_who_says_nothing_is_cut_off(connection: Connection) -> None:
    connection.after(HANDSHAKE_WITHIN - 0.1)
    assert not connection.is_closed
    connection.after(0.2)
    assert connection.ends == 1


def test_stranger_who_begins_the_handshake_only_is_cut_off(connection: Connection) -> None:
    for byte in GREETING[:6]:
        connection.send(bytes([byte]))
        connection.after(HANDSHAKE_WITHIN / 7)
    assert not connection.is_closed
    connection.after(HANDSHAKE_WITHIN / 6)
    assert connection.ends == 1


def test_idle_peer_is_asked_and_stays_while_it_answers(connection: Connection) -> None:
    connection.send(OPENING)
    for _ in range(3):
        connection.after(HEARTBEAT_EVERY + 1)
        assert not connection.is_closed
        connection.send(command_bytes(b"\x04PONG"))
    connection.after(HEARTBEAT_EVERY + 1)
    connection.after(HEARTBEAT_EVERY + 1)
    assert connection.ends == 1
    received = connection.theirs.recv(10_000)
    assert received.count(b"\x04PING") == 4


def test_request_must_be_complete_in_time_whatever_else_arrives(connection: Connection) -> None:
    connection.send(OPENING)
    connection.send(b"\x01\x00")
    for _ in range(4):
        assert not connection.is_closed
        connection.send(command_bytes(b"\x04PING\x00\x00") + b"\x01\x00")
        connection.after(REQUEST_WITHIN / 4 + 0.1)
    assert connection.ends == 1


def test_peer_that_does_not_read_its_reply_is_cut_off(connection: Connection) -> None:
    connection.send(OPENING)
    connection.ask()
    connection.peer.reply([bytes(LARGE * 10)], connection.note_sent)
    within = REPLY_WITHIN + LARGE * 10 / SLOWEST_PEER
    connection.go_on()
    connection.after(within - 0.1)
    assert not connection.is_closed and not connection.sent
    connection.after(0.2)
    assert connection.ends + connection.sent == 2, "the results are given back"


def test_next_request_is_read_after_the_reply(connection: Connection) -> None:
    connection.send(OPENING)
    connection.ask()
    connection.peer.reply([bytes(LARGE * 10)], connection.note_sent)
    connection.ask()
    assert len(connection.requests) == 1
    size = 0
    while size < LARGE * 10:
        connection.poller.wait(0)
        size += len(connection.theirs.recv(1_000_000))
    connection.go_on()
    assert connection.sent == 1
    assert connection.requests == [[b"request"]] * 2


def test_many_requests_at_once_end_the_connection(connection: Connection) -> None:
    """A REQ socket waits for its reply."""
    connection.send(OPENING)
    connection.send(b"".join(message_pieces([b"", b"r"])) * 100)
    assert connection.ends == 1


def test_heartbeats_are_answered(connection: Connection) -> None:
    connection.send(OPENING)
    connection.send(command_bytes(b"\x04PING\x00\x00abc"))
    assert connection.theirs.recv(10_000).endswith(command_bytes(b"\x04PONGabc"))


def test_memory_of_a_request_is_given_back(connection: Connection) -> None:
    connection.send(OPENING)
    pieces = b"".join(message_pieces([b"", bytes(100_000)]))
    connection.send(pieces[:80_000])
    assert connection.memory.used > 80_000
    connection.send(pieces[80_000:])
    assert 90_000 < connection.memory.used < 110_000
    connection.peer.reply([b"x"], connection.note_sent)
    assert connection.memory.used == 0
    connection.send(pieces[:80_000])
    connection.peer.close()
    assert connection.memory.used == 0


def test_end_of_a_peer_during_its_reply_gives_the_results_back(connection: Connection) -> None:
    connection.send(OPENING)
    connection.ask()
    connection.peer.reply([bytes(LARGE * 10)], connection.note_sent)
    connection.theirs.close()
    connection.go_on()
    assert connection.ends == 1 and connection.sent == 1
