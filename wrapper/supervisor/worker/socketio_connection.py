"""An open socket.io connection to the worker: its packets over a WebSocket."""

from __future__ import annotations

from ...protocol.encoding.encoding import get_encoding
from ...protocol.messages.peek import HEAD_BYTES, peek_command
from ...protocol.socketio.packets import (
    DISCONNECT,
    PING,
    PacketError,
    PacketReader,
    event_packet,
)
from ...protocol.websocket import frames
from ..loop.outbox import ByteStream
from .connection import Closed, Connection


class SocketioConnection(Connection):
    """A connection whose session is open; its messages are JSON.

    Args:
        stream: a socket or a `tls.TlsStream`, after `socketio_opening.open_session`.
        masked: mask what is sent (see `frames.frame_parts`).
    """

    def __init__(self, stream: ByteStream, masked: bool) -> None:
        super().__init__(stream, masked, binary=False)
        self._packets = PacketReader()
        self._said_disconnect = False

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping; see `Connection.ping`.

        Engine.IO's keeps the session open, but its pong has no payload. The server's WebSocket
        answers one with a payload, also after it has read all messages before the ping.
        """
        if payload:
            super().ping(payload)
        else:
            self._send_frame(frames.TEXT, PING)

    def _send_payload(self, payload: bytes | bytearray) -> None:
        command = command_of(payload)
        if command is not None:
            self._send_frame(frames.TEXT, event_packet(command, payload))

    def _take(
        self, message: frames.WebSocketMessage, payloads: list[bytes | bytearray]
    ) -> Closed | None:
        opcode, payload = message
        if opcode not in (frames.TEXT, frames.BINARY):
            return super()._take(message, payloads)
        read = self._packets.text if opcode == frames.TEXT else self._packets.binary
        try:
            received = read(payload)
        except PacketError as error:
            return self._refuse(f"the worker sent a broken socket.io packet: {error}")
        if received.payload is not None:
            payloads.append(received.payload)
        if received.answer is not None:
            self._answer_ping(frames.TEXT, received.answer)
        return None if received.end is None else Closed(received.end)

    def _say_goodbye(self, payload: bytes) -> None:
        if not self._said_disconnect:
            self._said_disconnect = True
            self._send_frame(frames.TEXT, DISCONNECT)
        super()._say_goodbye(payload)


def command_of(payload: bytes | bytearray) -> str | None:
    """Return the command of a message in JSON, which becomes the name of its event."""
    command = peek_command("json", bytes(payload[:HEAD_BYTES]))
    if command is None:
        message = get_encoding("json").decode(payload)
        command = message.get("command") if isinstance(message, dict) else None
    return command if isinstance(command, str) else None
