"""One ZMTP connection as a state machine: the handshake, then messages and heartbeats."""

from __future__ import annotations

from typing import NamedTuple

from ...ipc.stream_cutter import BUFFER_SIZE
from .frames import (
    Command,
    FrameReader,
    Limits,
    Piece,
    ZmtpError,
    command_bytes,
    message_pieces,
)
from .handshake import (
    GREETING,
    PARTNERS,
    Ready,
    check_greeting,
    parse_ready,
    ready_command,
    split_command,
)

_LARGEST_CONTEXT = 16  # bytes of a PING that its PONG repeats, by the specification


class ReceivedBytes(NamedTuple):
    """What some new bytes of a connection brought.

    Attributes:
        messages: whole messages, each a list of frames.
        reply: bytes to send back at once (answers to heartbeats); often empty.
    """

    messages: list[list[Piece]]
    reply: bytes


class ZmtpConnection:
    """This side of a connection.

    Send :attr:`opening` first. Read into :meth:`space` and call :meth:`filled`.

    Args:
        own: this side's socket type and identity.
        limits: of what the peer sends.
        buffer_size: of the buffer for small frames, in bytes.
    """

    def __init__(self, own: Ready, limits: Limits, buffer_size: int = BUFFER_SIZE) -> None:
        self._own = own
        self._reader = FrameReader(limits, buffer_size)
        self.peer: Ready | None = None
        self.space = self._reader.space

    @property
    def opening(self) -> bytes:
        """The first bytes to send.

        No message may follow before :attr:`is_ready`: libzmq takes it for a part of the handshake.
        """
        return GREETING + ready_command(self._own)

    @property
    def is_ready(self) -> bool:
        """Whether the handshake is complete."""
        return self.peer is not None

    @property
    def pending_bytes(self) -> int:
        """Memory that an incomplete message takes."""
        return self._reader.pending_bytes

    def filled(self, count: int) -> ReceivedBytes:
        """Take note of `count` new bytes.

        Raises:
            ZmtpError: close the connection; its text says why.
        """
        messages: list[list[Piece]] = []
        reply = b""
        for item in self._reader.filled(count):
            if isinstance(item, list):
                if self.peer is None:
                    raise ZmtpError("the peer sent a message before the handshake was complete")
                messages.append(item)
            elif isinstance(item, Command):
                reply += self._take_command(item)
            else:
                check_greeting(item.body)
        return ReceivedBytes(messages, reply)

    def _take_command(self, command: Command) -> bytes:
        if self.peer is None:
            peer = parse_ready(command.body)
            if peer.socket_type not in PARTNERS[self._own.socket_type]:
                raise ZmtpError(
                    f"the peer's socket is a {peer.socket_type or 'socket without a type'}, "
                    f"which does not fit a {self._own.socket_type}"
                )
            self.peer = peer
            return b""
        name, rest = split_command(command.body)
        if name == b"PING":
            return command_bytes(b"\x04PONG" + rest[2 : 2 + _LARGEST_CONTEXT])
        if name == b"ERROR":
            raise ZmtpError("the peer reported an error and ends the connection")
        return b""  # PONG, and what a later version may add

    @staticmethod
    def message(frames: list[Piece]) -> list[Piece]:
        """The bytes of a message, in pieces."""
        return message_pieces(frames)

    @staticmethod
    def ping(seconds_to_live: float) -> bytes:
        """A heartbeat.

        Args:
            seconds_to_live: how long the peer may take this connection for alive without another.
        """
        tenths = min(int(seconds_to_live * 10), 0xFFFF)
        return command_bytes(b"\x04PING" + tenths.to_bytes(2, "big"))
