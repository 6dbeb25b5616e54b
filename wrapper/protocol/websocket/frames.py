"""WebSocket frames (RFC 6455) for the client's side: bytes in, messages out, no I/O.

websocket-client opens connections, but we handle the frames ourselves: it reads in pieces of
16 KB, masks in Python, and blocks, which would cost more than all the rest of the wrapper.
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

from ...ipc.stream_cutter import Head, StreamCutter

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

# A header that claims more than this comes from a corrupt stream.
MAX_FRAME_BYTES = 4 * 1024**3
# A message in fragments may grow to this size. Each fragment counts for its overhead too.
MAX_FRAGMENTED_BYTES = 1024**3
_FRAGMENT_BYTES = 64
_OPCODES = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
_MAX_CONTROL_BYTES = 125
_MASK_PIECE = 1024 * 1024
_FIN = 0x80
_ZERO_MASK = bytes(4)
_new_tuple = tuple.__new__  # the class itself is called through a function in Python


class FrameError(Exception):
    """The peer sent something other than a valid WebSocket frame."""


class WebSocketMessage(NamedTuple):
    """A complete message, or a control frame.

    Attributes:
        opcode: TEXT, BINARY, CLOSE, PING or PONG.
        payload: the data; for CLOSE, a 2-byte code and a reason.
    """

    opcode: int
    payload: bytes | bytearray


class MessageReader:
    """Assembles frames into messages. Read into `space()`, then call `filled(count)`."""

    def __init__(self) -> None:
        self._cutter = StreamCutter(_read_head, _make_frame)
        self._parts: list[bytes | bytearray] = []
        self._parts_size = 0
        self._opcode = 0

    def space(self) -> memoryview:
        """Return the buffer for the next bytes of the connection."""
        return self._cutter.space()

    def filled(self, count: int) -> list[WebSocketMessage]:
        """Process `count` new bytes, and return the messages that are now complete.

        Raises:
            FrameError: they are not valid WebSocket frames.
        """
        messages = []
        for first_byte, payload in self._cutter.filled(count):
            opcode = first_byte & 0x0F
            if first_byte & _FIN and opcode != CONTINUATION:
                if opcode < CLOSE and self._parts:
                    raise FrameError("a new message began inside a fragmented one")
                messages.append(_new_tuple(WebSocketMessage, (opcode, payload)))
            else:
                whole = self._fragment(opcode, payload, final=bool(first_byte & _FIN))
                if whole is not None:
                    messages.append(whole)
        return messages

    def _fragment(
        self, opcode: int, payload: bytes | bytearray, final: bool
    ) -> WebSocketMessage | None:
        if opcode == CONTINUATION:
            if not self._opcode:
                raise FrameError("a continuation frame came without a message to continue")
        elif self._opcode:
            raise FrameError("a new message began inside a fragmented one")
        else:
            self._opcode = opcode
        self._parts.append(payload)
        self._parts_size += len(payload) + _FRAGMENT_BYTES
        if self._parts_size > MAX_FRAGMENTED_BYTES:
            raise FrameError(f"a message has more than {MAX_FRAGMENTED_BYTES:,} bytes in fragments")
        if not final:
            return None
        message = WebSocketMessage(self._opcode, b"".join(self._parts))
        self._parts, self._parts_size, self._opcode = [], 0, 0
        return message


def frame_parts(opcode: int, payload: bytes | bytearray, masked: bool) -> list[bytes | bytearray]:
    """Return a frame as the pieces to write one after the other.

    Args:
        opcode: TEXT, BINARY, CLOSE, PING or PONG.
        payload: the data; copied only if it is masked or small.
        masked: False sends mask key 0, which leaves the payload unchanged. RFC 6455 (10.3) asks
            for an unpredictable key to protect intermediaries that mistake the payload for HTTP.
            Between two containers of one pod there are no intermediaries, and masking 90 MB takes
            as long as sending it.
    """
    length = len(payload)
    if length < 126 and not masked:  # nearly always
        return [bytes((_FIN | opcode, 0x80 | length, 0, 0, 0, 0)) + payload]
    if length < 126:
        head = struct.pack("!BB", _FIN | opcode, 0x80 | length)
    elif length < 1 << 16:
        head = struct.pack("!BBH", _FIN | opcode, 0x80 | 126, length)
    else:
        head = struct.pack("!BBQ", _FIN | opcode, 0x80 | 127, length)
    if masked:
        key = os.urandom(4)
        payload = mask(payload, key)
    else:
        key = _ZERO_MASK
    if length < _MASK_PIECE // 64:
        return [head + key + payload]
    return [head + key, payload]


def mask(payload: bytes | bytearray, key: bytes) -> bytes:
    """Return `payload`, masked with the key as RFC 6455 (5.3) describes."""
    # Long integers, a megabyte at a time, are the fastest way without a C extension.
    pieces = []
    for start in range(0, len(payload), _MASK_PIECE):
        piece = payload[start : start + _MASK_PIECE]
        pad = key * (len(piece) // 4 + 1)
        number = int.from_bytes(piece, "little") ^ int.from_bytes(pad[: len(piece)], "little")
        pieces.append(number.to_bytes(len(piece), "little"))
    return b"".join(pieces)


def close_payload(code: int, reason: str = "") -> bytes:
    """Return the payload of a CLOSE frame."""
    return struct.pack("!H", code) + reason.encode()[: _MAX_CONTROL_BYTES - 2]


def read_close(payload: bytes | bytearray) -> tuple[int, str]:
    """Return the code and reason of a CLOSE frame; the code is 1005 if the frame has none."""
    if len(payload) < 2:
        return 1005, ""
    return struct.unpack_from("!H", payload)[0], bytes(payload[2:]).decode(errors="replace")


def _make_frame(first_byte: int, payload: bytes | bytearray) -> tuple[int, bytes | bytearray]:
    return first_byte, payload


def _read_head(buffer: memoryview, start: int, end: int) -> Head | None:
    if end - start < 2:
        return None
    first, second = buffer[start], buffer[start + 1]
    if first & 0x70:
        raise FrameError("a frame has reserved bits set")
    if second & 0x80:
        raise FrameError("a frame from the server is masked")
    size, length = 2, second
    if length >= 126:
        size = 4 if length == 126 else 10
        if end - start < size:
            return None
        length = int.from_bytes(buffer[start + 2 : start + size], "big")
    opcode = first & 0x0F
    if opcode not in _OPCODES:
        raise FrameError(f"a frame has the unknown opcode {opcode}")
    if opcode >= CLOSE and (length > _MAX_CONTROL_BYTES or not first & _FIN):
        raise FrameError("a control frame is too long or fragmented")
    if length > MAX_FRAME_BYTES:
        raise FrameError(f"a frame claims {length:,} bytes")
    return size, length, first
