"""The frames between the two processes."""

from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.ipc import frames as ipc_frames
from wrapper.ipc.frames import TO_SUPERVISOR, Frame, FrameKind, FrameLimits, PipeError


def cut(
    data: bytes, pieces: list[int] | None = None, limits: FrameLimits | None = None
) -> list[Frame]:
    cutter = ipc_frames.frame_cutter(limits)
    frames: list[Frame] = []
    sizes = iter(pieces or [])
    rest = memoryview(data)
    while rest:
        space = cutter.space()
        count = min(next(sizes, len(space)), len(space), len(rest))
        space[:count] = rest[:count]
        rest = rest[count:]
        frames += cutter.filled(count)
    return frames


def written(frame: Frame) -> bytes:
    return ipc_frames.header(frame.kind, frame.generation, len(frame.payload)) + bytes(
        frame.payload
    )


frames = st.builds(
    Frame,
    st.sampled_from([int(kind) for kind in FrameKind]),
    st.integers(0, 2**32 - 1),
    st.one_of(st.binary(max_size=60), st.integers(60_000, 140_000).map(bytes)),
)


@given(st.lists(frames, max_size=6), st.lists(st.integers(1, 5000), max_size=30))
def test_written_frames_are_read(sent: list[Frame], pieces: list[int]) -> None:
    assert cut(b"".join(map(written, sent)), pieces) == sent


def test_header_is_as_documented() -> None:
    head = ipc_frames.header(FrameKind.ANSWER, 0x01020304, 0x1_0000_0005)

    assert head == bytes.fromhex("06 000000 01020304 0000000100000005")
    assert len(head) == ipc_frames.HEADER_SIZE


def test_largest_generation_does_not_spill_into_the_kind() -> None:
    assert cut(written(Frame(FrameKind.USER_MESSAGE, 2**32 - 1, b"x"))) == [(20, 2**32 - 1, b"x")]


LIMITS = FrameLimits(TO_SUPERVISOR, 1000)
LIMITS.newest = 5


@pytest.mark.parametrize("payload", [b"", bytes(1001)], ids=["head", "whole"])
@pytest.mark.parametrize(
    ("head", "found"),
    [
        (ipc_frames.header(FrameKind.TASK, 1, 0), "begin no frame"),
        (ipc_frames.header(0, 1, 0), "begin no frame"),
        (b"\x14\0\0\1" + bytes(12), "begin no frame"),
        (ipc_frames.header(FrameKind.USER_MESSAGE, 6, 1), "of task 6"),
        (ipc_frames.header(FrameKind.USER_MESSAGE, 5, 1001), "1,001 bytes"),
        (b"\0", "begin no frame"),
    ],
)
def test_head_that_nobody_can_have_sent_is_refused(head: bytes, found: str, payload: bytes) -> None:
    with pytest.raises(PipeError, match=found):
        cut(head + payload, limits=LIMITS)


def test_frames_within_the_limits_are_read() -> None:
    frame = Frame(FrameKind.USER_MESSAGE, 5, bytes(1000))

    assert cut(written(frame), limits=LIMITS) == [frame]


@given(st.binary(min_size=16), st.lists(st.integers(1, 5000), max_size=30))
def test_random_bytes_make_no_frame_of_another_kind(data: bytes, pieces: list[int]) -> None:
    """Whatever user code writes: it is refused, or it has the form of a frame of ours."""
    try:
        frames = cut(data, pieces, LIMITS)
    except PipeError:
        return
    assert all(frame.kind in TO_SUPERVISOR and frame.generation <= 5 for frame in frames)


def test_kinds_have_different_numbers() -> None:
    assert len({int(kind) for kind in FrameKind}) == len(FrameKind.__members__)
    assert all(0 < kind < 256 for kind in FrameKind), "a kind must fit into one byte"


@pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="no real-time signals here")
def test_signals_are_not_used_by_user_code_or_the_c_library() -> None:
    taken = {ipc_frames.DUMP_SIGNAL, ipc_frames.INTERRUPT_SIGNAL}

    assert len(taken) == 2
    assert all(signal.SIGRTMIN < number <= signal.SIGRTMAX for number in taken)
