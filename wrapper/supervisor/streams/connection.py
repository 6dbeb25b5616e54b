"""One ZeroMQ connection between two nodes, on the supervisor's poller."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from ...protocol.zmtp.connection import ZmtpConnection
from ...protocol.zmtp.frames import Limits, Piece, ZmtpError, message_pieces
from ...protocol.zmtp.handshake import Ready
from ..loop.burst import Burst
from ..loop.outbox import Outbox
from ..loop.poller import Poller

# Reads of one connection before others have their turn.
_READS_A_TURN = 4

Frames = list[Piece]


class PeerConnection:
    """A connection to another node's pod.

    Args:
        sock: connected, or about to be; non-blocking from here on.
        own: this side's socket type and identity.
        limits: of what the peer sends.
        poller: of the supervisor.
        on_ready: called when the handshake is complete.
        on_message: called with the frames of each message.
        on_closed: called once when the connection has ended by itself, with what the peer did
            wrong; empty: the connection was closed or lost.
        burst: gathers what the messages of one read cause to be sent.
    """

    def __init__(
        self,
        sock: socket.socket,
        own: Ready,
        limits: Limits,
        poller: Poller,
        on_ready: Callable[[PeerConnection], None],
        on_message: Callable[[PeerConnection, Frames], None],
        on_closed: Callable[[PeerConnection, str], None],
        burst: Burst,
    ) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._zmtp = ZmtpConnection(own, limits)
        self._outbox = Outbox(sock)
        self._poller = poller
        self._on_ready = on_ready
        self._on_message = on_message
        self._on_closed = on_closed
        self._burst = burst
        self._is_open = True
        self.has_news = False  # something was received since this was last reset

    def start(self) -> None:
        """Begin the handshake."""
        self._poller.watch(self._socket, self._readable, self._outbox)
        self._write([self._zmtp.opening])

    @property
    def identity(self) -> bytes:
        """The peer's identity; empty before the handshake, or if it has none."""
        return self._zmtp.peer.identity if self._zmtp.peer is not None else b""

    @property
    def is_ready(self) -> bool:
        """Whether messages can be sent."""
        return self._is_open and self._zmtp.is_ready

    def send(self, frames: Sequence[Piece]) -> None:
        """Send a message; a connection that has ended drops it."""
        self._write(message_pieces(frames))

    def ping(self, seconds_to_live: float) -> None:
        """Send a heartbeat, which the peer answers."""
        self._write([self._zmtp.ping(seconds_to_live)])

    def close(self) -> None:
        """Close the connection; nobody is called."""
        if self._is_open:
            self._is_open = False
            self._poller.forget(self._socket)
            self._socket.close()

    def _write(self, pieces: Sequence[Piece]) -> None:
        if not self._is_open:
            return
        self._burst.gather(self._outbox)
        try:
            self._outbox.send(pieces)
        except OSError:
            pass  # reading reports it, and nobody is called in the midst of a send

    def _readable(self) -> None:
        for _ in range(_READS_A_TURN):
            space = self._zmtp.space()
            asked = len(space)
            try:
                count = self._socket.recv_into(space)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self._end("")
                return
            if not count:
                self._end("")
                return
            self.has_news = True
            if not self._take(count) or count < asked:
                return

    def _take(self, count: int) -> bool:
        was_ready = self._zmtp.is_ready
        try:
            received = self._zmtp.filled(count)
        except ZmtpError as error:
            self._end(str(error))
            return False
        if received.reply:
            self._write([received.reply])
        if not was_ready and self._zmtp.is_ready:
            self._on_ready(self)
        if received.messages:
            with self._burst:
                for frames in received.messages:
                    if self._is_open:
                        self._on_message(self, frames)
        return self._is_open

    def _end(self, reason: str) -> None:
        if self._is_open:
            self.close()
            self._on_closed(self, reason)
