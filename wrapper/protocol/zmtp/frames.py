"""ZMTP frames: bytes in, whole messages and commands out.

A frame: flags (1 byte), length (1 byte, or 8 where the LONG flag is set), body. A message is one
or more frames; all but the last have the MORE flag. A command is one frame of its own.
Source: ZMTP 3.1, "Framing".
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from ...ipc.stream_cutter import BUFFER_SIZE, Head, StreamCutter

GREETING_SIZE = 64

_MORE, _LONG, _COMMAND = 1, 2, 4
_RESERVED = ~(_MORE | _LONG | _COMMAND) & 0xFF
_LONGEST_SHORT = 255
_LENGTH = struct.Struct("!Q")
_LONG_HEAD = 9  # bytes before a long frame's body
_GREETING = -1
_BYTES_OF_A_FRAME = 64  # in memory, besides its body

Piece = bytes | bytearray | memoryview


class ZmtpError(Exception):
    """The peer does not speak ZMTP as this side needs it; close the connection."""


class Limits(NamedTuple):
    """How much a peer may send before it is refused.

    Attributes:
        message_bytes: all frames of one message together.
        frames: of one message.
        command_bytes: of a command.
    """

    message_bytes: int
    frames: int = 16
    command_bytes: int = 1024


class Greeting(NamedTuple):
    """The first 64 bytes of a connection."""

    body: Piece


class Command(NamedTuple):
    """A command frame, not yet parsed."""

    body: Piece


class FrameReader:
    """Cuts a connection's bytes into a greeting, commands and messages.

    Read into :meth:`space`, then call :meth:`filled` with the number of bytes read. A large frame
    is read straight to where it stays.

    Args:
        limits: a peer that exceeds one is refused.
        buffer_size: bytes; see :class:`StreamCutter`.
    """

    def __init__(self, limits: Limits, buffer_size: int = BUFFER_SIZE) -> None:
        self._limits = limits
        self._cutter: StreamCutter[None] = StreamCutter(
            self._read_head, self._take_frame, self._take_small, buffer_size
        )
        self._complete: list[Greeting | Command | list[Piece]] = []
        self._is_greeted = False
        self._parts: list[Piece] = []
        self._part_bytes = 0

    @property
    def pending_bytes(self) -> int:
        """Memory that an incomplete message takes."""
        kept = self._part_bytes + len(self._parts) * _BYTES_OF_A_FRAME
        return self._cutter.pending_bytes + kept

    def space(self) -> memoryview:
        """Where the next bytes of the connection belong."""
        return self._cutter.space()

    def filled(self, count: int) -> list[Greeting | Command | list[Piece]]:
        """Take note of `count` new bytes.

        Returns:
            What is now complete, in order; a message is the list of its frames.

        Raises:
            ZmtpError: the bytes are not ZMTP, or exceed a limit.
        """
        self._cutter.filled(count)
        complete, self._complete = self._complete, []
        return complete

    def _take_frame(self, flags: int, body: Piece) -> None:
        if flags == _GREETING:
            self._complete.append(Greeting(body))
        elif flags & _COMMAND:
            self._complete.append(Command(body))
        else:
            self._add_part(body)
            if not flags & _MORE:
                self._complete.append(self._parts)
                self._parts = []
                self._part_bytes = 0

    def _take_small(self, buffer: memoryview, start: int, end: int, frames: list[None]) -> int:
        """Take the frames of messages that are whole; what is unusual is left to `_read_head`."""
        if not self._is_greeted:
            return start
        parts, part_bytes = self._parts, self._part_bytes
        most_bytes, most_parts = self._limits.message_bytes, self._limits.frames
        while end - start >= _LONG_HEAD:
            flags = buffer[start]
            if flags <= _MORE:
                first, length = start + 2, buffer[start + 1]
            elif flags <= _MORE | _LONG:
                first = start + _LONG_HEAD
                (length,) = _LENGTH.unpack_from(buffer, start + 1)
            else:
                break
            last = first + length
            part_bytes += length
            if last > end or part_bytes > most_bytes or len(parts) == most_parts:
                part_bytes -= length
                break
            parts.append(bytes(buffer[first:last]))
            start = last
            if not flags & _MORE:
                self._complete.append(parts)
                parts, part_bytes = [], 0
        self._parts, self._part_bytes = parts, part_bytes
        return start

    def _add_part(self, body: Piece) -> None:
        self._parts.append(body)
        self._part_bytes += len(body)
        if len(self._parts) > self._limits.frames:
            raise ZmtpError(f"a message has more than {self._limits.frames} frames")

    def _read_head(self, buffer: memoryview, start: int, end: int) -> Head | None:
        if not self._is_greeted:
            if end - start < GREETING_SIZE:
                _check_signature(buffer[start:end])
                return None
            self._is_greeted = True
            return 0, GREETING_SIZE, _GREETING
        if end - start < 2:
            return None
        flags = buffer[start]
        size, length = 2, buffer[start + 1]
        if flags & _LONG:
            if end - start < 9:
                return None
            size = 9
            (length,) = _LENGTH.unpack_from(buffer, start + 1)
        self._check_head(flags, length)
        return size, length, flags

    def _check_head(self, flags: int, length: int) -> None:
        if flags & _RESERVED:
            raise ZmtpError(f"a frame has the unknown flags {flags:#04x}")
        limits = self._limits
        if flags & _COMMAND:
            if flags & _MORE:
                raise ZmtpError("a command claims to go on in another frame")
            if length > limits.command_bytes:
                raise ZmtpError(f"a command of {length:,} bytes exceeds {limits.command_bytes:,}")
            return
        # Refused before memory is taken for it.
        total = self._part_bytes + length
        if total > limits.message_bytes:
            raise ZmtpError(f"a message of {total:,} bytes exceeds {limits.message_bytes:,}")


def _check_signature(start: memoryview) -> None:
    """Refuse another protocol at its first bytes, instead of waiting for 64 of them."""
    if (len(start) and start[0] != 0xFF) or (len(start) > 9 and start[9] != 0x7F):
        raise ZmtpError("the peer does not speak ZMTP")


def message_pieces(frames: Sequence[Piece]) -> list[Piece]:
    """The bytes of a message: heads and bodies, large bodies not copied.

    Args:
        frames: at least one.
    """
    pieces: list[Piece] = []
    small = bytearray()
    last = len(frames) - 1
    for number, frame in enumerate(frames):
        flags = _MORE if number < last else 0
        length = len(frame)
        if length <= _LONGEST_SHORT:
            small.append(flags)
            small.append(length)
            small += frame
            continue
        small.append(flags | _LONG)
        small += _LENGTH.pack(length)
        if length <= _COPIED_BYTES:
            small += frame
        else:
            pieces.append(small)
            pieces.append(frame)
            small = bytearray()
    if small:
        pieces.append(small)
    return pieces


def frame_head(length: int, more: bool) -> bytes:
    """The head of a message's frame.

    Args:
        length: of the body, in bytes.
        more: whether another frame of the message follows.
    """
    flags = _MORE if more else 0
    if length <= _LONGEST_SHORT:
        return bytes((flags, length))
    return bytes((flags | _LONG,)) + _LENGTH.pack(length)


def command_bytes(body: bytes) -> bytes:
    """A command frame.

    Args:
        body: at most 255 bytes.
    """
    return bytes((_COMMAND, len(body))) + body


# A body up to this size is copied behind its head: one piece is cheaper to send than two.
_COPIED_BYTES = 16 * 1024
