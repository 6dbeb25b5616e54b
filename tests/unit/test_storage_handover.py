"""Handing a result over, through a real socket pair."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wrapper.storage import handover
from wrapper.storage.handover import Handover, Offer, answer, receive
from wrapper.storage.header import make_header
from wrapper.storage.values import Encoded, encode_value

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def offered(pair: Pair, task: str, encoded: Encoded, is_held: bool = True) -> tuple[Offer, bool]:
    """What the supervisor got, and what the algorithm process was told."""
    got: list[Offer | None] = []

    def take() -> None:
        got.append(receive(pair[1]))
        if got[0] is not None:
            answer(pair[1], got[0].number, is_held)

    taker = Thread(target=take)
    taker.start()
    told = Handover(pair[0], 1_000_000).offer(task, encoded)
    taker.join()
    assert got[0] is not None
    return got[0], told


@pytest.mark.parametrize("encoding", ["msgpack", "bson", "json"])
@pytest.mark.parametrize("value", [{"a": 1}, b"raw", b"", bytearray(b"x" * 100_000)])
def test_header_and_payload_arrive(pair: Pair, encoding: str, value: object) -> None:
    encoded = encode_value(value, encoding, "result")
    offer, told = offered(pair, "täsk", encoded)
    assert told
    assert offer.task_id == "täsk"
    assert offer.result.header == (encoded.header or make_header(False, "json"))
    assert bytes(offer.result.payload) == bytes(encoded.payload)


def test_what_is_not_held(pair: Pair) -> None:
    encoded = encode_value(1, "msgpack", "result")
    assert offered(pair, "t", encoded, is_held=False)[1] is False
    small = Handover(pair[0], 10)
    assert not small.offer("t", Encoded(b"12345678", bytes(11)))
    assert not small.offer("t" * 1000, encoded)
    pair[1].close()
    assert not small.offer("t", encoded)


def test_no_file_descriptor_stays_open(pair: Pair) -> None:
    before = len(os.listdir("/proc/self/fd"))
    encoded = encode_value(bytes(1000), "msgpack", "result")
    for _ in range(5):
        offered(pair, "t", encoded)
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_answer_that_came_too_late_is_not_taken_for_the_next(pair: Pair) -> None:
    answer(pair[1], 999, False)
    assert offered(pair, "t", encode_value(1, "msgpack", "result"))[1] is True


def test_a_supervisor_that_does_not_answer(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "_PATIENCE", 0.05)
    assert not Handover(pair[0], 100).offer("t", encode_value(1, "msgpack", "result"))


def test_the_end_and_nothing_yet(pair: Pair) -> None:
    pair[1].setblocking(False)
    with pytest.raises(BlockingIOError):
        receive(pair[1])
    pair[0].close()
    with pytest.raises(EOFError):
        receive(pair[1])


def test_memory_that_could_be_taken_away_is_refused(pair: Pair) -> None:
    fd = os.memfd_create("unsealed")
    try:
        os.write(fd, b"abc")
        note = handover._NOTE.pack(1, 3, b"12345678") + b"t"
        socket.send_fds(pair[0], [note], [fd])
        assert receive(pair[1]) is None
    finally:
        os.close(fd)


@given(st.binary(min_size=1, max_size=100), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_note_does_no_harm(pair: Pair, note: bytes, with_file: bool) -> None:
    fds = [os.open("/dev/null", os.O_RDONLY)] if with_file else []
    try:
        socket.send_fds(pair[0], [note], fds)
        offer = receive(pair[1])
        assert offer is None or offer.result.payload.nbytes == 0
    finally:
        for fd in fds:
            os.close(fd)
