"""Waiting for several sockets at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from wrapper.supervisor.loop.outbox import Outbox
from wrapper.supervisor.loop.poller import Poller

LIMIT = 10.0
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def poller() -> Poller:
    return Poller()


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    with ours, theirs:
        yield ours, theirs


class Counter:
    """A callback that counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_calls_back_when_readable(poller: Poller, pair: Pair) -> None:
    calls = Counter()
    poller.watch(pair[0], calls)
    poller.wait(0)
    assert calls.count == 0

    pair[1].send(b"x")
    poller.wait(LIMIT)
    poller.wait(LIMIT)

    assert calls.count == 2, "level-triggered: it has not been read"


def test_calls_back_at_the_end_of_the_stream(poller: Poller, pair: Pair) -> None:
    calls = Counter()
    poller.watch(pair[0], calls)
    pair[1].close()

    poller.wait(LIMIT)

    assert calls.count == 1


def test_waiting_bytes_are_sent_when_there_is_room(poller: Poller, pair: Pair) -> None:
    outbox = Outbox(pair[0])
    poller.watch(pair[0], lambda: None, outbox)
    payload = bytes(3_000_000)
    outbox.send([payload])
    assert outbox.waiting_bytes

    received = 0
    deadline = time.monotonic() + LIMIT
    while received < len(payload) and time.monotonic() < deadline:
        received += len(pair[1].recv(1 << 20))
        poller.wait(LIMIT if outbox.waiting_bytes else 0)

    assert received == len(payload)
    assert outbox.waiting_bytes == 0


def test_empty_outbox_does_not_wake_the_loop(poller: Poller, pair: Pair) -> None:
    calls = Counter()
    poller.watch(pair[0], calls, Outbox(pair[0]))
    begun = time.monotonic()

    poller.wait(0.02)

    assert time.monotonic() - begun >= 0.02
    assert calls.count == 0


def test_paused_source_is_not_read(poller: Poller, pair: Pair) -> None:
    calls = Counter()
    poller.watch(pair[0], calls)
    pair[1].send(b"x")

    poller.pause(pair[0], True)
    poller.wait(0)
    assert calls.count == 0

    poller.pause(pair[0], False)
    poller.wait(LIMIT)
    assert calls.count == 1


def test_waiting_bytes_are_sent_while_reading_is_paused(poller: Poller, pair: Pair) -> None:
    outbox = Outbox(pair[0])
    poller.watch(pair[0], lambda: None, outbox)
    poller.pause(pair[0], True)
    outbox.send([bytes(3_000_000)])
    before = outbox.waiting_bytes
    pair[1].recv(1 << 20)

    poller.wait(LIMIT)

    assert outbox.waiting_bytes < before


def test_pausing_an_unwatched_or_unread_source_is_not_an_error(poller: Poller, pair: Pair) -> None:
    poller.pause(pair[0], True)
    poller.watch(pair[1], None)
    pair[0].send(b"x")

    poller.pause(pair[1], False)
    poller.wait(0)


def test_hang_up_of_an_unread_source_does_not_wake_the_loop_for_ever(
    poller: Poller, pair: Pair
) -> None:
    outbox = Outbox(pair[0])
    poller.watch(pair[0], None, outbox)
    outbox.send([bytes(3_000_000)])
    pair[1].close()
    poller.wait(0)
    poller.wait(0)
    begun = time.monotonic()

    poller.wait(0.02)

    assert time.monotonic() - begun >= 0.02
    poller.forget(pair[0])


def test_forgotten_source_is_silent(poller: Poller, pair: Pair) -> None:
    calls = Counter()
    pair[1].send(b"x")
    poller.watch(pair[0], calls)
    poller.forget(pair[0])
    poller.forget(pair[0])  # twice is harmless
    poller.wait(0)

    assert calls.count == 0


def test_callback_may_forget_its_own_source(poller: Poller, pair: Pair) -> None:
    calls = Counter()

    def ready() -> None:
        calls()
        poller.forget(pair[0])

    pair[1].send(b"x")
    poller.watch(pair[0], ready)
    poller.wait(LIMIT)
    poller.wait(0)

    assert calls.count == 1


def test_callback_may_forget_another_ready_source(poller: Poller, pair: Pair) -> None:
    calls = Counter()

    def forget_both() -> None:
        calls()
        for sock in pair:
            poller.forget(sock)

    for sock in pair:
        sock.send(b"x")
        poller.watch(sock, forget_both)
    poller.wait(LIMIT)

    assert calls.count == 1


def test_callback_may_add_a_source(poller: Poller, pair: Pair) -> None:
    calls = Counter()
    for sock in pair:
        sock.send(b"x")
    poller.watch(pair[0], lambda: poller.watch(pair[1], calls))

    poller.wait(LIMIT)
    poller.wait(LIMIT)

    assert calls.count == 1


@pytest.mark.parametrize("timeout", [0.001, 1e9])
def test_any_timeout_is_accepted(poller: Poller, pair: Pair, timeout: float) -> None:
    pair[1].send(b"x")
    poller.watch(pair[0], lambda: None)

    poller.wait(timeout)


def fill(sock: socket.socket) -> None:
    try:
        while True:
            sock.send(bytes(100_000))
    except BlockingIOError:
        pass


def test_calls_back_while_a_source_accepts_bytes_if_asked_to(poller: Poller, pair: Pair) -> None:
    readable, writable = Counter(), Counter()
    poller.watch(pair[0], readable)
    poller.wait(0)
    assert writable.count == 0, "nobody asked"
    fill(pair[0])
    poller.await_room(pair[0], writable)
    poller.wait(0)
    assert writable.count == 0, "there is no room"
    while pair[1].recv(1_000_000):
        poller.wait(0)
        if writable.count:
            break
    assert writable.count == 1 and readable.count == 0
    poller.await_room(pair[0], None)
    poller.wait(0)
    assert writable.count == 1


def test_source_that_is_forgotten_while_it_sends_is_not_read(poller: Poller, pair: Pair) -> None:
    readable = Counter()
    poller.watch(pair[0], readable)
    poller.await_room(pair[0], lambda: poller.forget(pair[0]))
    pair[1].send(b"x")
    poller.wait(LIMIT)
    assert readable.count == 0
