"""Cutting a stream into frames, whatever the sizes of its pieces."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.ipc.stream_cutter import BUFFER_SIZE, TRUSTED_BYTES, Head, StreamCutter

HEADER = struct.Struct("!BI")
Frame = tuple[int, bytes | bytearray]


def read_head(buffer: memoryview, start: int, end: int) -> Head | None:
    if end - start < HEADER.size:
        return None
    info, length = HEADER.unpack_from(buffer, start)
    if info == 255:
        raise ValueError("no such kind of frame")
    return HEADER.size, length, info


def make_cutter() -> StreamCutter[Frame]:
    return StreamCutter(read_head, lambda info, payload: (info, payload))


def frame(info: int, payload: bytes) -> bytes:
    return HEADER.pack(info, len(payload)) + payload


def feed(cutter: StreamCutter[Frame], data: bytes, pieces: Iterable[int] = ()) -> list[Frame]:
    """Feed `data` in pieces of these sizes, then in pieces as large as fit."""
    frames: list[Frame] = []
    sizes = iter(pieces)
    rest = memoryview(data)
    while rest:
        space = cutter.space()
        assert len(space) > 0, "there must always be space for more"
        count = min(next(sizes, BUFFER_SIZE), len(space), len(rest))
        space[:count] = rest[:count]
        rest = rest[count:]
        frames += cutter.filled(count)
    return frames


# Lengths of payloads around those at which the behaviour changes.
lengths = st.one_of(
    st.integers(0, 40),
    st.integers(BUFFER_SIZE - HEADER.size - 2, BUFFER_SIZE + 2),
    st.integers(3 * BUFFER_SIZE - 2, 3 * BUFFER_SIZE + 2),
)
payloads = st.builds(
    lambda length, seed: (
        bytes((seed + i) % 251 for i in range(min(length, 251))) * (length // 251)
        + bytes(length % 251)
    ),
    lengths,
    st.integers(0, 250),
)
frame_lists = st.lists(st.tuples(st.integers(0, 254), payloads), max_size=8)
piece_sizes = st.lists(st.one_of(st.integers(1, 9), st.integers(1, BUFFER_SIZE)), max_size=40)


@given(frame_lists, piece_sizes)
def test_frames_are_complete_and_in_order(
    frames: list[tuple[int, bytes]], pieces: list[int]
) -> None:
    data = b"".join(frame(*each) for each in frames)

    assert feed(make_cutter(), data, pieces) == frames


def test_one_byte_at_a_time() -> None:
    data = frame(1, b"first") + frame(2, b"") + frame(3, b"third")

    frames = feed(make_cutter(), data, [1] * len(data))

    assert frames == [(1, b"first"), (2, b""), (3, b"third")]


def test_frame_is_returned_as_soon_as_it_is_complete() -> None:
    cutter = make_cutter()
    data = frame(1, b"first") + frame(2, b"second")

    assert feed(cutter, data[:-1]) == [(1, b"first")]
    assert feed(cutter, data[-1:]) == [(2, b"second")]


def test_small_payload_is_not_a_view_of_the_buffer() -> None:
    cutter = make_cutter()
    [(_, payload)] = feed(cutter, frame(1, b"first"))
    feed(cutter, frame(1, b"other"))

    assert type(payload) is bytes
    assert payload == b"first"


def test_large_payload_is_read_into_its_final_place() -> None:
    cutter = make_cutter()
    length = 3 * BUFFER_SIZE
    data = frame(7, bytes(length))
    assert feed(cutter, data[:BUFFER_SIZE], [BUFFER_SIZE]) == []

    space = cutter.space()
    place = space.obj
    assert len(space) == len(data) - BUFFER_SIZE, "exactly the rest of the payload"
    [(info, payload)] = cutter.filled(len(space))

    assert info == 7
    assert len(payload) == length
    assert place is payload, "no copy"


def test_frames_after_a_large_one_are_found() -> None:
    data = frame(1, b"a" * 2 * BUFFER_SIZE) + frame(2, b"b") + frame(3, b"c" * BUFFER_SIZE)

    assert [info for info, _ in feed(make_cutter(), data)] == [1, 2, 3]


def test_cutter_keeps_no_view_of_a_payload() -> None:
    cutter = make_cutter()
    [(_, payload)] = feed(cutter, frame(1, bytes(2 * BUFFER_SIZE)))
    assert isinstance(payload, bytearray)

    payload.clear()  # raises BufferError if there is still a view of it

    assert feed(cutter, frame(2, b"next")) == [(2, b"next")]


def test_error_of_read_head_is_not_caught() -> None:
    with pytest.raises(ValueError, match="no such kind"):
        feed(make_cutter(), frame(255, b"bad"))


def test_claimed_gigabytes_take_no_memory_before_they_arrive() -> None:
    cutter = make_cutter()
    claim = HEADER.pack(1, 2**32 - 1)

    feed(cutter, claim + bytes(1000))

    assert len(cutter.space()) <= TRUSTED_BYTES


def test_payload_beyond_the_trusted_size_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wrapper.ipc.stream_cutter._TRUSTED_BUFFERS", 2)
    payload = bytes(range(256)) * 2000

    frames = feed(make_cutter(), frame(1, payload) + frame(2, b"next"), [50_000] * 8)

    assert frames == [(1, payload), (2, b"next")]
