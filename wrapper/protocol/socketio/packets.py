"""Packets of socket.io 2 inside Engine.IO 3: events become the worker's messages, and the reverse.

A packet is a WebSocket message: Engine.IO's digit, then socket.io's digit, then the content.
``42["done",{…}]`` is an event. Its name is the command, and its one argument is the message.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .attachments import AttachmentError, BinaryEvent

PING, DISCONNECT = b"2", b"41"

# The events that HKube's worker listens to.
LISTENED_COMMANDS = frozenset(
    (
        *("initialized", "started", "stopped", "stopping", "done", "alive", "errorMessage"),
        *("progress", "storing", "servingStatus", "streamingStatistics", "dataSourceRequest"),
        *("startSpan", "finishSpan", "startRawSubPipeline", "startStoredSubPipeline"),
        *("stopSubPipeline", "startAlgorithmExecution", "stopAlgorithmExecution"),
    )
)

_MAX_ATTACHMENTS = 100_000
_EXCERPT = 60  # bytes
# Of an event: the namespace, the number of the acknowledgement, the name, and what follows it.
_EVENT = re.compile(
    rb'(?:(/[^,\[]*),)?[0-9]*\[[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*([,\]])', re.DOTALL
)
_HEAD_BYTES = 1024  # a longer name is nonsense
_COUNT = re.compile(rb"([0-9]{1,6})-")
_SPACES = b" \t\r\n"


class PacketError(Exception):
    """The server sent something that is no packet of this protocol."""


class ReceivedPacket(NamedTuple):
    """What a packet means.

    Attributes:
        payload: a message of the worker.
        answer: a packet to send now.
        end: why the session has ended.
    """

    payload: bytes | bytearray | None = None
    answer: bytes | None = None
    end: str | None = None


_NOTHING = ReceivedPacket()


def event_packet(command: str, payload: bytes | bytearray) -> bytes:
    """Return the packet that carries a message.

    Args:
        command: the message's command.
        payload: the message as JSON.
    """
    return b"".join((b'42["', command.encode(), b'",', payload, b"]"))


class PacketReader:
    """Reads the packets of a session that is open."""

    def __init__(self) -> None:
        self._incomplete: BinaryEvent | None = None

    def text(self, packet: bytes | bytearray) -> ReceivedPacket:
        """Read a text message of the WebSocket.

        Raises:
            PacketError: it is no packet, or comes in place of an attachment.
        """
        kind = packet[:1]
        if kind == b"4":
            return self._message(packet)
        if kind == b"2":
            return ReceivedPacket(answer=b"3" + packet[1:])
        if kind == b"1":
            return ReceivedPacket(end="the worker closed the socket.io session")
        if kind in (b"3", b"5", b"6"):  # a pong; two that have no meaning here
            return _NOTHING
        raise PacketError(f"an unknown packet: {bytes(packet[:_EXCERPT])!r}")

    def binary(self, packet: bytes | bytearray) -> ReceivedPacket:
        """Read a binary message of the WebSocket: an attachment.

        Raises:
            PacketError: no event has announced it, or it does not fit.
        """
        event = self._incomplete
        if event is None or packet[:1] != b"\x04":
            raise PacketError("a binary message that no event has announced")
        try:
            event.add(packet[1:])
            if not event.is_complete:
                return _NOTHING
            self._incomplete = None
            return ReceivedPacket(event.message())
        except AttachmentError as error:
            raise PacketError(str(error)) from error

    def _message(self, packet: bytes | bytearray) -> ReceivedPacket:
        kind = packet[1:2]
        if kind in (b"2", b"5") and self._incomplete is not None:
            raise PacketError("an event in place of an attachment")
        if kind == b"2":
            return ReceivedPacket(_argument(packet, 2))
        if kind == b"5":
            return self._begin_binary(packet)
        if kind == b"1" and packet[2:] in (b"", b"/"):
            return ReceivedPacket(end="the worker closed the socket.io session")
        if kind == b"4":
            return ReceivedPacket(end=f"the worker sent an error: {error_text(packet[2:])}")
        return _NOTHING  # about another namespace, or an acknowledgement

    def _begin_binary(self, packet: bytes | bytearray) -> ReceivedPacket:
        count = _COUNT.match(packet, 2)
        if count is None or int(count[1]) > _MAX_ATTACHMENTS:
            raise PacketError(f"an event with attachments: {bytes(packet[:_EXCERPT])!r}")
        argument = _argument(packet, count.end())
        if argument is None or not int(count[1]):
            return ReceivedPacket(argument)
        self._incomplete = BinaryEvent(argument, int(count[1]))
        return _NOTHING


def error_text(content: bytes | bytearray) -> str:
    """Return what an error packet says, for the log."""
    return bytes(content[:200]).decode(errors="replace").strip('"') or "no reason"


def _argument(packet: bytes | bytearray, start: int) -> bytes | bytearray | None:
    """Return the argument of an event, without decoding it; None: it is not for us.

    What is no event at all is returned whole: whoever reads it logs what is wrong with it.
    """
    found = _EVENT.match(packet, start, start + _HEAD_BYTES)
    if found is None:
        return packet[start:]
    namespace, name, following = found.groups()
    if namespace not in (None, b"/"):
        return None
    if following == b"]":
        return b'{"command":' + name + b"}"
    end = len(packet) - 1
    while packet[end] in _SPACES:
        end -= 1
    return packet[found.end() : end] if packet[end] == ord("]") else packet[start:]
