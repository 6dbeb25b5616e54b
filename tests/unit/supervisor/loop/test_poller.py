"""Waiting on several sockets at once."""

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
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1


def test_calls_back_when_readable(poller: Poller, pair: Pair) -> None:
    heard = Counter()
    poller.watch(pair[0], heard)
    poller.wait(0)
    assert heard.calls == 0

    pair[1].send(b"x")
    poller.wait(LIMIT)
    poller.wait(LIMIT)

    assert heard.calls == 2, "level-triggered: it has not been read"


def test_calls_back_at_the_end_of_the_stream(poller: Poller, pair: Pair) -> None:
    heard = Counter()
    poller.watch(pair[0], heard)
    pair[1].close()

    poller.wait(LIMIT)

    assert heard.calls == 1


def test_sends_what_waits_whenever_there_is_room(poller: Poller, pair: Pair) -> None:
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


def test_an_empty_outbox_does_not_keep_us_awake(poller: Poller, pair: Pair) -> None:
    heard = Counter()
    poller.watch(pair[0], heard, Outbox(pair[0]))
    begun = time.monotonic()

    poller.wait(0.02)

    assert time.monotonic() - begun >= 0.02
    assert heard.calls == 0


def test_a_paused_source_is_not_read(poller: Poller, pair: Pair) -> None:
    heard = Counter()
    poller.watch(pair[0], heard)
    pair[1].send(b"x")

    poller.pause(pair[0], True)
    poller.wait(0)
    assert heard.calls == 0

    poller.pause(pair[0], False)
    poller.wait(LIMIT)
    assert heard.calls == 1


def test_what_waits_is_sent_though_reading_is_paused(poller: Poller, pair: Pair) -> None:
    outbox = Outbox(pair[0])
    poller.watch(pair[0], lambda: None, outbox)
    poller.pause(pair[0], True)
    outbox.send([bytes(3_000_000)])
    before = outbox.waiting_bytes
    pair[1].recv(1 << 20)

    poller.wait(LIMIT)

    assert outbox.waiting_bytes < before


def test_pausing_what_is_not_watched_or_never_read_is_no_error(poller: Poller, pair: Pair) -> None:
    poller.pause(pair[0], True)
    poller.watch(pair[1], None)
    pair[0].send(b"x")

    poller.pause(pair[1], False)
    poller.wait(0)


def test_a_source_that_is_never_read_and_hangs_up_does_not_wake_us_for_ever(
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


def test_a_forgotten_source_is_silent(poller: Poller, pair: Pair) -> None:
    heard = Counter()
    pair[1].send(b"x")
    poller.watch(pair[0], heard)
    poller.forget(pair[0])
    poller.forget(pair[0])  # twice does no harm
    poller.wait(0)

    assert heard.calls == 0


def test_a_callback_may_forget_its_own_source(poller: Poller, pair: Pair) -> None:
    heard = Counter()

    def ready() -> None:
        heard()
        poller.forget(pair[0])

    pair[1].send(b"x")
    poller.watch(pair[0], ready)
    poller.wait(LIMIT)
    poller.wait(0)

    assert heard.calls == 1


def test_a_callback_may_forget_another_source_that_is_ready(poller: Poller, pair: Pair) -> None:
    heard = Counter()

    def forget_both() -> None:
        heard()
        for sock in pair:
            poller.forget(sock)

    for sock in pair:
        sock.send(b"x")
        poller.watch(sock, forget_both)
    poller.wait(LIMIT)

    assert heard.calls == 1


def test_a_callback_may_add_a_source(poller: Poller, pair: Pair) -> None:
    heard = Counter()
    for sock in pair:
        sock.send(b"x")
    poller.watch(pair[0], lambda: poller.watch(pair[1], heard))

    poller.wait(LIMIT)
    poller.wait(LIMIT)

    assert heard.calls == 1


@pytest.mark.parametrize("timeout", [0.001, 1e9])
def test_any_number_of_seconds_may_be_asked_for(poller: Poller, pair: Pair, timeout: float) -> None:
    pair[1].send(b"x")
    poller.watch(pair[0], lambda: None)

    poller.wait(timeout)
