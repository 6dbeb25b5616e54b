"""What the payloads of streaming frames hold, between the wrapper's two processes.

The supervisor never decodes a message: it gets and gives the bytes that travel between nodes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

Piece = bytes | bytearray | memoryview

_HEADER_SIZE = 8  # HKube's, see storage.format.header
_OUTGOING = struct.Struct("!BI")  # number of targets, bytes of the flow
_INCOMING = struct.Struct("!QHI")  # delivery, bytes of the origin, bytes of the flow
_HANDLED = struct.Struct("!Qd")


class OutgoingMessage(NamedTuple):
    """A message that user code sends.

    Attributes:
        targets: numbers of the children, in the order of the job's `childs`.
        flow: the rest of its flow, encoded.
        header: HKube's 8 bytes.
        payload: the encoded value.
    """

    targets: bytes
    flow: Piece
    header: Piece
    payload: Piece


class IncomingMessage(NamedTuple):
    """A message for user code.

    Attributes:
        delivery: its number, to be reported when it is handled.
        origin: name of the node that sent it.
        flow: the rest of its flow, encoded.
        header: HKube's 8 bytes.
        payload: the encoded value.
    """

    delivery: int
    origin: str
    flow: Piece
    header: Piece
    payload: Piece


def outgoing_prefix(targets: Sequence[int], flow: Piece) -> bytes:
    """What stands before the header and the payload of an outgoing message.

    Args:
        targets: numbers of at most 255 children.
    """
    return _OUTGOING.pack(len(targets), len(flow)) + bytes(targets) + bytes(flow)


def parse_outgoing(payload: Piece) -> OutgoingMessage:
    """Read an outgoing message.

    Raises:
        ValueError: it is malformed.
    """
    view = _sliceable(payload)
    try:
        count, flow_size = _OUTGOING.unpack_from(view)
    except struct.error as error:
        raise ValueError(str(error)) from None
    flow_start = _OUTGOING.size + count
    header_start = flow_start + flow_size
    start = header_start + _HEADER_SIZE
    if start > len(view):
        raise ValueError("it is cut short")
    return OutgoingMessage(
        bytes(view[_OUTGOING.size : flow_start]),
        view[flow_start:header_start],
        view[header_start:start],
        view[start:],
    )


def _sliceable(payload: Piece) -> bytes | memoryview:
    """A small payload is bytes, which are cheaper to cut; a large one is not copied."""
    return payload if type(payload) is bytes else memoryview(payload)


def incoming_pieces(
    delivery: int, origin: bytes, flow: Piece, header: Piece, payload: Piece
) -> list[Piece]:
    """The pieces of an incoming message's frame; the payload is not copied."""
    head = _INCOMING.pack(delivery, len(origin), len(flow)) + origin + bytes(flow)
    return [head + bytes(header), payload]


def parse_incoming(payload: Piece) -> IncomingMessage:
    """Read an incoming message."""
    view = _sliceable(payload)
    delivery, origin_size, flow_size = _INCOMING.unpack_from(view)
    flow_start = _INCOMING.size + origin_size
    header_start = flow_start + flow_size
    start = header_start + _HEADER_SIZE
    return IncomingMessage(
        delivery,
        str(view[_INCOMING.size : flow_start], "utf-8"),
        view[flow_start:header_start],
        view[header_start:start],
        view[start:],
    )


def handled_payload(delivery: int, milliseconds: float) -> bytes:
    """The report that a message was handled."""
    return _HANDLED.pack(delivery, milliseconds)


def parse_handled(payload: Piece) -> tuple[int, float]:
    """A delivery's number and the milliseconds it took.

    Raises:
        ValueError: it is malformed.
    """
    try:
        delivery, milliseconds = _HANDLED.unpack(payload)
    except struct.error as error:
        raise ValueError(str(error)) from None
    return delivery, milliseconds


def command_payload(**command: Any) -> bytes:
    """A command of the algorithm process to the supervisor, or its reply."""
    return json.dumps(command, separators=(",", ":")).encode()


def parse_command(payload: Piece) -> dict[str, Any]:
    """Read a command or a reply.

    Raises:
        ValueError: it is malformed.
    """
    command = json.loads(bytes(payload))
    if not isinstance(command, dict):
        raise ValueError("it is not an object")
    return command
