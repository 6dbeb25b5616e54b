"""Sending a reply in pieces."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from wrapper.protocol.zmtp.frames import FrameReader, Limits, message_pieces
from wrapper.supervisor.peers.reply_sender import ReplySender, message_pieces_of

FRAMES = st.lists(
    st.one_of(st.binary(max_size=300), st.integers(250, 1_000_000).map(bytes)),
    min_size=1,
    max_size=200,
)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_pieces_are_the_bytes_of_the_message(frames: list[bytes]) -> None:
    assert b"".join(message_pieces_of(frames)) == b"".join(message_pieces(frames))


@given(FRAMES)
def test_everything_arrives_in_order_however_little_the_socket_takes(frames: list[bytes]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        sender = ReplySender(ours)
        sender.begin(message_pieces_of(frames))
        expected = b"".join(message_pieces(frames))
        received = bytearray()
        is_sent = False
        while not is_sent:
            is_sent = sender.go_on()
            received += receive(theirs)
        assert received == expected
        assert sender.go_on(), "nothing is left"


def test_source_is_asked_only_for_what_the_socket_takes() -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 100_000
            yield bytes(100_000)

    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        sender = ReplySender(ours)
        sender.begin(pieces())
        sent = 0
        for _ in range(100):  # the socket is full long before
            sender.go_on()
        theirs.setblocking(False)
        sent = len(receive(theirs))
        assert taken <= sent + 400_000


def receive(sock: socket.socket) -> bytes:
    received = bytearray()
    while True:
        try:
            received += sock.recv(1_000_000)
        except BlockingIOError:
            return bytes(received)


def test_a_turn_sends_a_part_of_a_large_reply_only() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_000_000)
        theirs.setblocking(False)
        sender = ReplySender(ours)
        sender.begin(iter([bytes(3_000_000)]))
        sender.go_on()
        assert 0 < len(receive(theirs)) <= 256 * 1024


def test_frame_heads_are_those_of_a_whole_message() -> None:
    reader = FrameReader(Limits(10_000))
    data = bytes(64) + b"".join(message_pieces_of([b"", bytes(300)]))
    reader.space()[: len(data)] = b"\xff" + bytes(8) + b"\x7f" + data[10:]
    assert reader.filled(len(data))[1:] == [[b"", bytes(300)]]
