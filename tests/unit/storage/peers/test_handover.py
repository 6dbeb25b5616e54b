"""Handing over results through a real socket pair."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wrapper.storage.format.encoded import Encoded, encode_value
from wrapper.storage.format.header import make_header
from wrapper.storage.peers import handover
from wrapper.storage.peers.handover import Handover, Offer, answer, read_note, receive, refuse
from wrapper.storage.peers.held_results import Held

LIMIT = 20.0  # seconds
Pair = tuple[socket.socket, socket.socket]


# One type preserves message boundaries; the other is for systems without it.
@pytest.fixture(params=[socket.SOCK_SEQPACKET, socket.SOCK_STREAM])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, request.param)
    theirs.settimeout(LIMIT)
    with ours, theirs:
        yield ours, theirs


@contextmanager
def free_descriptors(count: int) -> Iterator[None]:
    """Limit the number of files that this process can still open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = [os.open(os.devnull, os.O_RDONLY) for _ in range(count + 1)]
    for fd in free:
        os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(free), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def offered(pair: Pair, task: str, encoded: Encoded, is_held: bool = True) -> tuple[Offer, bool]:
    """Return what the supervisor received, and whether the algorithm process got a yes."""
    got: list[Offer | None] = []

    def take() -> None:
        got.append(receive(pair[1]))
        if got[0] is not None:
            answer(pair[1], got[0].number, is_held)

    taker = Thread(target=take)
    taker.start()
    is_held_here = Handover(pair[0], 10_000_000).offer(task, encoded)
    taker.join(LIMIT)
    assert got[0] is not None
    return got[0], is_held_here


def asked(giver: Handover, pair: Pair, encoded: Encoded, is_held: bool = True) -> bool:
    """Offer a result to a supervisor that answers; return what was answered."""

    def take() -> None:
        offer = receive(pair[1])
        assert offer is not None
        answer(pair[1], offer.number, is_held)

    taker = Thread(target=take)
    taker.start()
    found = giver.offer("t", encoded)
    taker.join(LIMIT)
    return found


@pytest.mark.parametrize("encoding", ["msgpack", "bson", "json"])
@pytest.mark.parametrize(
    "value", [{"a": 1}, b"raw", b"", b"x" * 65_536, bytearray(b"x" * 100_000), bytes(2_000_000)]
)
def test_header_and_payload_are_received(pair: Pair, encoding: str, value: object) -> None:
    encoded = encode_value(value, encoding, "result")
    offer, is_held_here = offered(pair, "täsk", encoded)
    assert is_held_here
    assert offer.task_id == "täsk"
    assert offer.result is not None
    assert offer.result.header == (encoded.header or make_header(False, "json"))
    assert bytes(offer.result.payload) == bytes(encoded.payload)
    assert offer.result.is_mapped is (encoded.size > 1024 * 1024)


def test_results_that_are_not_held(pair: Pair) -> None:
    encoded = encode_value(1, "msgpack", "result")
    assert offered(pair, "t", encoded, is_held=False)[1] is False
    small = Handover(pair[0], 10)
    assert not small.offer("t", Encoded(b"12345678", bytes(11)))
    assert not small.offer("t" * 1000, encoded)
    pair[1].close()
    assert not small.offer("t", encoded)


def test_only_large_results_take_a_file_descriptor(pair: Pair) -> None:
    before = len(os.listdir("/proc/self/fd"))
    held = [
        offered(pair, "t", encode_value(bytes(size), "msgpack", "result"))[0].result
        for size in (0, 1, 1000, 1_000_000)
    ]
    assert len(os.listdir("/proc/self/fd")) == before
    held.append(offered(pair, "t", encode_value(bytes(2_000_000), "msgpack", "result"))[0].result)
    assert len(os.listdir("/proc/self/fd")) == before + 1
    held.clear()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("free", [0, 1])  # for no payload, or only for the first
def test_receiver_without_free_file_descriptors(pair: Pair, free: int) -> None:
    fd = handover._shared_memory(Encoded(b"", bytes(2_000_000)))
    socket.send_fds(pair[0], [handover._NOTE.pack(7, 2_000_000, b"12345678", 1) + b"t"], [fd])
    os.close(fd)
    with free_descriptors(free):
        assert receive(pair[1]) == Offer(7, "t", None)


def test_sender_without_free_file_descriptors(pair: Pair) -> None:
    with free_descriptors(0):
        assert not Handover(pair[0], 10_000_000).offer("t", Encoded(b"", bytes(2_000_000)))


def test_late_answer_is_not_taken_for_the_next(pair: Pair) -> None:
    answer(pair[1], 999, False)
    assert offered(pair, "t", encode_value(1, "msgpack", "result"))[1] is True


def test_small_results_need_no_answer_once_one_was_held(pair: Pair) -> None:
    giver = Handover(pair[0], 10_000_000)
    encoded = encode_value([1], "msgpack", "result")
    assert giver.note("t", encoded) is None  # nothing is known about the supervisor
    assert asked(giver, pair, encoded)
    for _ in range(3):
        note = giver.note("täsk", encoded)
        assert note is not None
        offer = read_note(note)
        assert offer is not None and offer.result is not None
        assert offer.task_id == "täsk"
        assert offer.result == Held(encoded.header, memoryview(encoded.payload))
    assert giver.note("t", Encoded(b"", bytes(32 * 1024 + 1))) is None
    assert giver.note("t" * 1000, encoded) is None


def test_refusal_ends_the_trust_until_a_result_is_held_again(pair: Pair) -> None:
    giver = Handover(pair[0], 10_000_000)
    encoded = encode_value([1], "msgpack", "result")
    assert asked(giver, pair, encoded)
    refuse(pair[1])
    assert giver.note("t", encoded) is None
    assert not asked(giver, pair, encoded, is_held=False)
    assert giver.note("t", encoded) is None
    assert asked(giver, pair, encoded)
    assert giver.note("t", encoded) is not None


def test_refusal_before_an_answer_counts(pair: Pair) -> None:
    giver = Handover(pair[0], 10_000_000)
    encoded = encode_value([1], "msgpack", "result")
    refuse(pair[1])  # serving ended while the supervisor held the result that follows
    assert asked(giver, pair, encoded)
    assert giver.note("t", encoded) is None


def test_supervisor_that_does_not_answer(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "_PATIENCE", 0.05)
    assert not Handover(pair[0], 100).offer("t", encode_value(1, "msgpack", "result"))


def test_closed_socket_and_empty_socket(pair: Pair) -> None:
    pair[1].setblocking(False)
    with pytest.raises(BlockingIOError):
        receive(pair[1])
    pair[0].close()
    with pytest.raises(EOFError):
        receive(pair[1])


@pytest.mark.parametrize("size, says", [(2_000_000, 2_000_000), (3, 4), (0, 1)])
def test_unsealed_or_missing_memory_is_rejected(pair: Pair, size: int, says: int) -> None:
    fd = os.memfd_create("unsealed")
    try:
        os.truncate(fd, size)
        note = handover._NOTE.pack(1, says, b"12345678", 1) + b"t"
        socket.send_fds(pair[0], [note], [fd])
        assert receive(pair[1]) == Offer(1, "t", None)
    finally:
        os.close(fd)


def test_note_with_an_incomplete_payload(pair: Pair) -> None:
    pair[0].send(handover._NOTE.pack(1, 3, b"12345678", 1) + b"tab")
    assert receive(pair[1]) == Offer(1, "t", None)


@given(st.binary(min_size=1, max_size=100), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_note_is_read_safely(pair: Pair, note: bytes, with_file: bool) -> None:
    fds = [os.open("/dev/null", os.O_RDONLY)] if with_file else []
    try:
        socket.send_fds(pair[0], [note], fds)
        offer = receive(pair[1])
        assert offer is None or offer.result is None or offer.result.payload.nbytes < 100
    finally:
        for fd in fds:
            os.close(fd)
