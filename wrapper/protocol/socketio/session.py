"""The start of a socket.io session: what the server sends first, over the open WebSocket."""

from __future__ import annotations

import json

from ..websocket.handshake import HandshakeError
from .packets import error_text

# Unless the server says otherwise, seconds.
_PING_EVERY = 25.0
_SHORTEST_INTERVAL = 0.05


class SessionError(HandshakeError):
    """The server did not open a session; the message says what it answered."""


class SessionStart:
    """Waits for ``0{…}`` (Engine.IO is open) and ``40`` (socket.io is connected).

    Attributes:
        ping_every: seconds between two pings that the server asks for. It closes a connection on
            which it receives nothing for much longer.
    """

    def __init__(self) -> None:
        self.ping_every = _PING_EVERY
        self._is_open = False

    def take(self, packet: bytes | bytearray) -> bool:
        """Read the next text message; return whether the session has begun.

        Raises:
            SessionError: the server refuses the session, or does not speak this protocol.
        """
        if not self._is_open and packet[:1] == b"0":
            self._is_open = True
            self.ping_every = _ping_interval(bytes(packet[1:]))
            return False
        if self._is_open and packet[:2] == b"40":
            return True
        if self._is_open and packet[:2] == b"44":
            raise SessionError(f"it refused the socket.io session: {error_text(packet[2:])}")
        if self._is_open and packet[:1] == b"6":
            return False
        raise SessionError(
            "it does not speak socket.io 2 (Engine.IO 3); is WORKER_ALGORITHM_PROTOCOL=socket set "
            f"for HKube's worker too? Its first message was {bytes(packet[:60])!r}"
        )


def _ping_interval(content: bytes) -> float:
    try:
        interval = json.loads(content)["pingInterval"] / 1000
        return max(float(interval), _SHORTEST_INTERVAL)
    except (ValueError, KeyError, TypeError):
        return _PING_EVERY
