"""The outbox, over real sockets with small buffers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrapper.supervisor.loop.outbox import Outbox

SMALL = 4096  # the kernel rounds it up


@contextmanager
def socket_pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket_pair() as sockets:
        yield sockets


def receive(sock: socket.socket, at_most: int = 1 << 20) -> bytes:
    """Return what has arrived by now."""
    data = bytearray()
    try:
        while len(data) < at_most and (piece := sock.recv(at_most - len(data))):
            data += piece
    except BlockingIOError:
        pass
    return bytes(data)


def drain(outbox: Outbox, sock: socket.socket) -> bytes:
    """Return everything up to the last byte."""
    data = receive(sock)
    while outbox.waiting_bytes:
        outbox.flush()
        data += receive(sock)
    return data


def some_bytes(length: int) -> bytes:
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def test_accepted_bytes_are_sent_immediately(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    outbox = Outbox(ours)

    outbox.send([b"alone"])
    outbox.send([b"two ", b"pieces"])

    assert outbox.waiting_bytes == 0
    assert receive(theirs) == b"alonetwo pieces"


def test_bytes_that_are_not_accepted_wait(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    outbox = Outbox(ours)
    payload = some_bytes(1_000_000)

    outbox.send([b"head", payload])
    outbox.send([b"next"])
    waiting = outbox.waiting_bytes
    at_hand = receive(theirs)

    assert 0 < waiting < 1_000_008
    assert len(at_hand) + waiting == 1_000_008
    assert at_hand + drain(outbox, theirs) == b"head" + payload + b"next"
    assert outbox.waiting_bytes == 0


def test_partly_accepted_piece_keeps_its_rest(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    outbox = Outbox(ours)
    payload = some_bytes(300_000)

    outbox.send([payload])

    assert 0 < outbox.waiting_bytes < 300_000
    assert drain(outbox, theirs) == payload


def test_small_piece_never_overtakes_waiting_bytes(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    outbox = Outbox(ours)
    outbox.send([some_bytes(100_000)])
    first = receive(theirs)

    outbox.send([b"small"])  # although the socket has room again

    assert (first + drain(outbox, theirs)).endswith(b"small")


def test_flushing_an_empty_outbox_does_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    outbox = Outbox(ours)
    outbox.send([])
    outbox.send([b""])
    outbox.send([b"", b""])
    outbox.flush()

    assert outbox.waiting_bytes == 0
    assert receive(theirs) == b""


def test_more_pieces_than_fit_into_one_call(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    outbox = Outbox(ours)
    pieces = [b"%06d" % number for number in range(5000)]

    outbox.send(pieces)

    assert drain(outbox, theirs) == b"".join(pieces)


def test_large_payload_is_not_copied(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    outbox = Outbox(ours)
    payload = bytearray(500_000)
    outbox.send([b"head", payload])

    with pytest.raises(BufferError):  # a view of it exists
        payload.clear()
    drain(outbox, theirs)
    payload.clear()


def test_sending_to_a_closed_socket_raises(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    outbox = Outbox(ours)
    outbox.send([some_bytes(200_000)])
    theirs.close()

    with pytest.raises(OSError, match=r"."):
        outbox.flush()
    with pytest.raises(OSError, match=r"."):
        outbox.send([b"more"])


def test_corked_pieces_are_sent_together_at_the_end(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    outbox = Outbox(ours)
    with outbox.corked():
        outbox.send([b"one "])
        outbox.send([b"two ", b"three "])
        outbox.send([b"four"])
        assert receive(theirs) == b""
        assert outbox.waiting_bytes == 18

    assert receive(theirs) == b"one two three four"
    outbox.send([b"five"])
    assert receive(theirs) == b"five"


def test_corked_pieces_wait_if_they_are_not_accepted(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    outbox = Outbox(ours)
    with outbox.corked():
        outbox.send([some_bytes(300_000)])
        outbox.send([b"next"])

    assert outbox.waiting_bytes
    assert drain(outbox, theirs) == some_bytes(300_000) + b"next"


def test_exception_in_a_corked_block_ends_it(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    outbox = Outbox(ours)

    def fail() -> None:
        with outbox.corked():
            outbox.send([b"one "])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    outbox.send([b"two"])
    assert receive(theirs) == b"one two"


def test_try_flush_drops_everything_after_an_error(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    outbox = Outbox(ours)
    outbox.send([some_bytes(200_000)])
    theirs.close()
    outbox.try_flush()

    assert outbox.waiting_bytes == 0, "otherwise the loop would try for ever"


steps = st.one_of(
    st.lists(st.one_of(st.binary(max_size=20), st.integers(1, 60_000).map(some_bytes)), max_size=4),
    st.integers(0, 50_000),  # the other side reads this many bytes
    st.none(),  # flush
)


@given(st.lists(steps, max_size=25))
@settings(deadline=None)
def test_every_byte_arrives_once_and_in_order(history: list[list[bytes] | int | None]) -> None:
    with socket_pair() as (ours, theirs):
        outbox = Outbox(ours)
        sent, received = b"", b""
        for step in history:
            if isinstance(step, list):
                outbox.send(step)
                sent += b"".join(step)
            elif step is None:
                outbox.flush()
            else:
                received += receive(theirs, step)
            assert 0 <= outbox.waiting_bytes <= len(sent) - len(received)

        assert received + drain(outbox, theirs) == sent
