"""A burst gathers what many small messages send."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from wrapper.supervisor.loop.burst import Burst
from wrapper.supervisor.loop.outbox import Outbox


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


Pair = tuple[socket.socket, socket.socket]


def arrived(sock: socket.socket) -> bytes:
    try:
        return sock.recv(1000)
    except BlockingIOError:
        return b""


def test_everything_is_sent_in_order_at_the_end(pair: Pair) -> None:
    outbox, burst = Outbox(pair[0]), Burst()
    with burst:
        with burst:
            for text in (b"a", b"b"):
                burst.gather(outbox)
                outbox.send([text])
        assert arrived(pair[1]) == b""  # the inner block is not the end
        burst.gather(outbox)
        outbox.send([b"c", b"d"])
        assert arrived(pair[1]) == b""
    assert arrived(pair[1]) == b"abcd"
    outbox.send([b"e"])
    assert arrived(pair[1]) == b"e"


def test_outside_a_burst_everything_is_sent_at_once(pair: Pair) -> None:
    outbox, burst = Outbox(pair[0]), Burst()
    burst.gather(outbox)
    outbox.send([b"a"])
    assert arrived(pair[1]) == b"a"


def test_error_in_the_block_sends_what_was_gathered(pair: Pair) -> None:
    outbox, burst = Outbox(pair[0]), Burst()

    def fail() -> None:
        with burst:
            burst.gather(outbox)
            outbox.send([b"a"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert arrived(pair[1]) == b"a"


def test_lost_peer_does_not_harm_the_others(pair: Pair) -> None:
    gone, burst = socket.socketpair(), Burst()
    lost, outbox = Outbox(gone[0]), Outbox(pair[0])
    with burst:
        for each in (lost, outbox):
            burst.gather(each)
            each.send([b"a"])
        gone[0].close()
        gone[1].close()
    assert arrived(pair[1]) == b"a"
