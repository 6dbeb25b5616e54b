"""Cutting a byte stream into frames, without copying large ones.

Both streams of the wrapper (the WebSocket, and the pipes between its two processes) carry frames
with a short header that contains the payload's length. Only the headers differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

# The most bytes that one read takes, unless they belong to a large payload.
BUFFER_SIZE = 64 * 1024
# A header may claim gigabytes that never arrive: at first, memory for so many buffers is allocated,
# and more only as bytes arrive.
_TRUSTED_BUFFERS = 16
TRUSTED_BYTES = _TRUSTED_BUFFERS * BUFFER_SIZE

# A frame's header: its length in bytes, the payload's length, and whatever else the stream needs
# to make the frame. A plain tuple, because one is created for every frame.
Head = tuple[int, int, int]

FrameT = TypeVar("FrameT")


class StreamCutter(Generic[FrameT]):
    """Turns the bytes of a stream into frames.

    Read into :meth:`space`, then call :meth:`filled` with the number of bytes read. A payload
    that does not fit into the buffer is read directly into its final place. `filled` makes the
    view that `space` returned unusable.

    Args:
        read_head: returns the head of the frame in a buffer between two positions; None while the
            header is incomplete. It may raise, which makes the stream unusable.
        make_frame: returns a frame, from the third part of its head and its payload. The payload
            belongs to the frame; it is never a view of the buffer.
        take_small: takes whole small frames from a buffer between two positions, as many as it
            likes, into a list, and returns where it has stopped. For streams whose frames are many
            and small.
        buffer_size: bytes; a smaller buffer suits many streams that carry little.
    """

    def __init__(
        self,
        read_head: Callable[[memoryview, int, int], Head | None],
        make_frame: Callable[[int, bytes | bytearray], FrameT],
        take_small: Callable[[memoryview, int, int, list[FrameT]], int] | None = None,
        buffer_size: int = BUFFER_SIZE,
    ) -> None:
        self._read_head = read_head
        self._make_frame = make_frame
        self._take_small = take_small
        self._buffer = memoryview(bytearray(buffer_size))
        self._end = 0  # of the bytes in the buffer that are not cut yet
        self._view: memoryview | None = None  # of the large payload
        self._large: bytearray | None = None
        self._large_length = 0
        self._large_info = 0
        self._large_filled = 0

    @property
    def pending_bytes(self) -> int:
        """Memory that an incomplete frame takes."""
        return len(self._large) if self._large is not None else self._end

    def space(self) -> memoryview:
        """Return the buffer for the next bytes of the stream."""
        if self._large is not None:
            whole = memoryview(self._large)
            self._view = whole[self._large_filled :]
            whole.release()
            return self._view
        return self._buffer[self._end :] if self._end else self._buffer

    def filled(self, count: int) -> list[FrameT]:
        """Process `count` new bytes in `space()`; return the frames that are now complete."""
        if self._large is None:
            return self._cut(self._end + count)
        self._large_filled += count
        if self._view is not None:
            self._view.release()  # a payload can grow only while nobody looks at it
            self._view = None
        if self._large_filled < len(self._large):
            return []
        if len(self._large) < self._large_length:
            self._grow(self._large)
            return []
        payload, self._large = self._large, None
        return [self._make_frame(self._large_info, payload)]

    def _cut(self, end: int) -> list[FrameT]:
        frames: list[FrameT] = []
        start = 0
        while start < end:
            if self._take_small is not None:
                start = self._take_small(self._buffer, start, end, frames)
                if start == end:
                    break
            head = self._read_head(self._buffer, start, end)
            if head is None:
                break
            size, length, info = head
            first = start + size
            last = first + length
            if last == end and not start:  # nearly always, one read brings one whole frame
                self._end = 0
                return [self._make_frame(info, bytes(self._buffer[first:last]))]
            if last > end:
                if last - start > len(self._buffer):
                    self._begin_large(first, end, length, info)
                    return frames
                break
            frames.append(self._make_frame(info, bytes(self._buffer[first:last])))
            start = last
        self._make_room(start, end)
        return frames

    def _begin_large(self, first: int, end: int, length: int, info: int) -> None:
        payload = bytearray(min(length, _TRUSTED_BUFFERS * len(self._buffer)))
        payload[: end - first] = self._buffer[first:end]
        self._large, self._large_info, self._large_filled = payload, info, end - first
        self._large_length = length
        self._end = 0

    def _grow(self, payload: bytearray) -> None:
        # In place: the kernel moves the pages of a large block, and copies nothing.
        payload += bytes(min(self._large_length - len(payload), len(payload)))

    def _make_room(self, start: int, end: int) -> None:
        """Move an incomplete frame to the front of the buffer, so that the rest fits behind it."""
        rest = end - start
        if start and rest:
            self._buffer[:rest] = bytes(self._buffer[start:end])
        self._end = rest
