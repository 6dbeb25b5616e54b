"""A connection of another algorithm that asks for results, on the supervisor's poller."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from ...protocol.zmtp.connection import ZmtpConnection
from ...protocol.zmtp.envelope import Enveloped, open_envelope
from ...protocol.zmtp.frames import Limits, Piece, ZmtpError
from ...protocol.zmtp.handshake import REP, Ready
from ..loop.poller import Poller
from .reply_sender import ReplySender, message_pieces_of
from .request_memory import RequestMemory

HANDSHAKE_WITHIN = 5.0  # seconds until a stranger who does not speak ZMTP is cut off
REQUEST_WITHIN = 10.0  # seconds from a request's first byte to its last
HEARTBEAT_EVERY = 30.0  # seconds of silence until an idle peer is asked whether it is still there
REPLY_WITHIN = 30.0  # seconds, and more for a large reply:
SLOWEST_PEER = 1024 * 1024  # bytes per second
_MOST_WAITING = 16  # messages behind the one that is served: a REQ socket sends none
_BUFFER_SIZE = 4096  # bytes: an open connection takes little more than this
_OWN = Ready(REP, b"")
_PING = ZmtpConnection.ping(2 * HEARTBEAT_EVERY)


class AskingPeer:
    """Reads a request, sends the reply, and only then reads the next request.

    Args:
        sock: the accepted connection.
        limits: of requests.
        memory: what all connections together may keep for requests.
        poller: of the supervisor.
        on_request: called when `request` is there.
        on_closed: called once when the connection has ended.
        clock: monotonic, seconds.

    Attributes:
        due: when to call `tick` next.
        heard_at: when something was last received.
        request: the request to reply to, if one has arrived.
        is_sending: a reply, or a part of the handshake, is not sent completely.
    """

    def __init__(
        self,
        sock: socket.socket,
        limits: Limits,
        memory: RequestMemory,
        poller: Poller,
        on_request: Callable[[AskingPeer], None],
        on_closed: Callable[[AskingPeer], None],
        clock: Callable[[], float],
    ) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._zmtp = ZmtpConnection(_OWN, limits, _BUFFER_SIZE)
        self._sender = ReplySender(sock)
        self._memory = memory
        self._counted_bytes = 0  # in `memory`
        self._poller = poller
        self._on_request = on_request
        self._on_closed = on_closed
        self._clock = clock
        self._is_open = True
        self._has_pinged = False
        self._is_advancing = False
        self._is_receiving = False  # a request has begun and is not complete
        self._more: deque[list[Piece]] = deque()  # messages that arrived together
        self._on_sent: Callable[[], None] = _do_nothing
        self.request: Enveloped | None = None
        self.is_sending = False
        self.heard_at = clock()
        self.due = self.heard_at + HANDSHAKE_WITHIN

    def start(self) -> None:
        """Begin the handshake."""
        self._poller.watch(self._socket, self._readable)
        self._send(iter([self._zmtp.opening]), self.due)

    @property
    def is_busy(self) -> bool:
        """Whether a request is being served."""
        return self.request is not None or self.is_sending

    def reply(self, parts: Sequence[Piece], on_sent: Callable[[], None]) -> None:
        """Answer the request.

        Args:
            parts: at least one.
            on_sent: called when they have been sent, or the connection has ended.
        """
        assert self.request is not None
        frames = [*self.request.envelope, *parts]
        self.request = None
        self._count_memory()
        self._on_sent = on_sent
        within = REPLY_WITHIN + sum(map(len, parts)) / SLOWEST_PEER
        self._send(message_pieces_of(frames), self._clock() + within)

    def tick(self, now: float) -> None:
        """Ask an idle peer whether it is still there; close the connection of one that is late."""
        if now < self.due:
            return
        if self.is_busy or self._is_receiving or self._has_pinged or not self._zmtp.is_ready:
            self.close()
            return
        self._has_pinged = True
        self._send(iter([_PING]), now + HEARTBEAT_EVERY)

    def close(self) -> None:
        """Close the connection."""
        if self._is_open:
            self._is_open = False
            self._poller.forget(self._socket)
            self._socket.close()
            self._more.clear()
            self.request = None
            self._memory.change(-self._counted_bytes)
            self._call_on_sent()
            self._on_closed(self)

    # ----------------------------------------------------------------------------- receiving --
    def _readable(self) -> None:
        if not self._is_open:
            return
        if self.is_busy:  # reading is paused: the peer hung up
            self.close()
            return
        try:
            count = self._socket.recv_into(self._zmtp.space())
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            count = 0
        if count:
            self._take(count)
        else:
            self.close()

    def _take(self, count: int) -> None:
        try:
            received = self._zmtp.filled(count)
        except ZmtpError:
            self.close()
            return
        self._more.extend(received.messages)
        if len(self._more) > _MOST_WAITING or not self._count_memory():
            self.close()
            return
        if self._zmtp.is_ready:
            self._note_news()
        if received.reply:
            # One answer to all heartbeats. The rest of the reply waits for room like any other.
            self._send(iter([received.reply]), self.due)
        else:
            self._next_request()

    def _note_news(self) -> None:
        now = self._clock()
        self.heard_at = now
        self._has_pinged = False
        was_receiving, self._is_receiving = self._is_receiving, self._zmtp.pending_bytes > 0
        if not self._is_receiving:
            self.due = now + HEARTBEAT_EVERY
        elif not was_receiving:
            self.due = now + REQUEST_WITHIN

    def _count_memory(self) -> bool:
        """Count what this connection keeps beyond its buffer; return whether there is room."""
        messages = [*self._more, *([self.request.body] if self.request is not None else [])]
        kept = self._zmtp.pending_bytes + sum(len(each) for frames in messages for each in frames)
        change = max(0, kept - _BUFFER_SIZE) - self._counted_bytes
        self._counted_bytes += change
        return self._memory.change(change)

    def _next_request(self) -> None:
        """Report the next request; a message without an envelope is dropped, as libzmq does."""
        if self._is_advancing:  # a reply was sent at once: the loop below goes on
            return
        self._is_advancing = True
        while self._more and self._is_open and not self.is_busy:
            self.request = open_envelope(self._more.popleft())
            if self.request is not None:
                self._on_request(self)
        self._is_advancing = False
        if self._is_open:
            self._poller.pause(self._socket, self.is_busy)

    # ------------------------------------------------------------------------------- sending --
    def _send(self, pieces: Iterator[Piece], due: float) -> None:
        self._sender.begin(pieces)
        self.is_sending = True
        self.due = due
        self._go_on()
        if self._is_open and self.is_sending:
            self._poller.pause(self._socket, True)
            self._poller.await_room(self._socket, self._go_on)

    def _go_on(self) -> None:
        if not self._is_open:
            return
        try:
            is_sent = self._sender.go_on()
        except OSError:
            self.close()
            return
        if is_sent:
            self._sent()

    def _sent(self) -> None:
        self.is_sending = False
        self._poller.await_room(self._socket, None)
        self._call_on_sent()
        if self._zmtp.is_ready and not self._is_receiving:
            self.due = self._clock() + HEARTBEAT_EVERY
        self._next_request()

    def _call_on_sent(self) -> None:
        on_sent, self._on_sent = self._on_sent, _do_nothing
        on_sent()


def _do_nothing() -> None:
    pass
