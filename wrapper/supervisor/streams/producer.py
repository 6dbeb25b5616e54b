"""Serves this node's queue to the pods of its children."""

from __future__ import annotations

import errno
import os
import resource
import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...protocol.zmtp.frames import Limits, Piece
from ...protocol.zmtp.handshake import ROUTER, Ready
from ...streaming import wire
from ...streaming.delivery import Answer, Deliveries, HandOut
from ...streaming.queue import OutgoingQueue, QueuedMessage
from ...streaming.statistics import ChildStatistics, EdgeReport
from ..loop.burst import Burst
from ..loop.poller import Poller
from .connection import Frames, PeerConnection
from .notices import Notices

if TYPE_CHECKING:
    from ...protocol.encoding.encoding import Encoding

# A connection that has not completed its handshake by then is closed, seconds.
_HANDSHAKE_WITHIN = 10.0
# HKube starts at most 1,000 pods of a node; a pod may have an old connection besides.
_MOST_CONNECTIONS = 2048
_BACKLOG = 256
_LIMITS = Limits(message_bytes=wire.LONGEST_REQUEST, frames=8)


class Producer:
    """Listens for consumers and hands them the messages of the queue.

    Args:
        port: to listen on; 0 picks a free one.
        children: names of the nodes that fetch from here.
        limit: bytes that the queue may hold.
        encoding: of names, flows and reports between nodes.
        poller: of the supervisor.
        notices: for what consumers do wrong.
        burst: gathers what goes to consumers.
        host: the address to listen on; empty: all interfaces.

    Attributes:
        port: what it listens on.
    """

    def __init__(
        self,
        port: int,
        children: Sequence[str],
        limit: int,
        encoding: Encoding,
        poller: Poller,
        notices: Notices,
        burst: Burst,
        host: str = "",
    ) -> None:
        self.port = port
        self._host = host
        self._burst = burst
        self._encoding = encoding
        self._poller = poller
        self._notices = notices
        self._names = {wire.encode_plain(name, encoding): name for name in children}
        self.queue = OutgoingQueue(children, limit)
        self.deliveries = Deliveries(
            self.queue, {name: ChildStatistics() for name in children}, self._given_up
        )
        self._listener: socket.socket | None = None
        self._connections: dict[PeerConnection, float] = {}  # → when it was accepted
        self._most = _most_connections()

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        self._listener = listener = _listen(self._host, self.port)
        self.port = listener.getsockname()[1]
        self._poller.watch(listener, self._accept)

    def close(self) -> None:
        """Close all connections and give the port free."""
        if self._listener is not None:
            self._poller.forget(self._listener)
            self._listener.close()
            self._listener = None
        for connection in list(self._connections):
            connection.close()
        self._connections.clear()

    def append(
        self, flow: Piece, header: Piece, payload: Piece, targets: Sequence[str], now: float
    ) -> None:
        """Queue a message and hand it out to those that wait for one."""
        _, dropped = self.queue.append(flow, header, payload, targets, now)
        if dropped:
            self._notices.count(
                "full",
                dropped,
                "the queue is full (STREAMING_MAX_BUFFER_MB): the oldest messages were dropped",
            )
        for child in targets:
            self._send(self.deliveries.queued(child, now))

    def tick(self, now: float) -> None:
        """Do what is due."""
        self._send(self.deliveries.tick(now))
        for connection, accepted_at in list(self._connections.items()):
            if not connection.is_ready and now - accepted_at >= _HANDSHAKE_WITHIN:
                self._drop(connection)

    def deadline(self) -> float | None:
        """When `tick` is due; None: never."""
        earliest = self.deliveries.deadline()
        for connection, accepted_at in self._connections.items():
            if not connection.is_ready:
                at = accepted_at + _HANDSHAKE_WITHIN
                return at if earliest is None else min(earliest, at)
        return earliest

    @property
    def is_drained(self) -> bool:
        """Whether all messages were handled, and everything that was sent has left."""
        return self.queue.is_empty

    def report(self) -> list[EdgeReport]:
        """The statistics of each child since the last report."""
        return self.deliveries.report()

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            sock, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:  # no descriptor left: those that are connected go on
            if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                raise
            self._notices.count("accept", 1, "a consumer could not be accepted: too many files")
            return
        if len(self._connections) >= self._most:
            sock.close()
            self._notices.count("connections", 1, f"refused a consumer: {self._most} are connected")
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection = PeerConnection(
            sock,
            Ready(ROUTER, b""),
            _LIMITS,
            self._poller,
            _ignore,
            self._take,
            self._closed,
            self._burst,
        )
        self._connections[connection] = time.monotonic()
        connection.start()

    def _take(self, connection: PeerConnection, frames: Frames) -> None:
        try:
            encoded, request = wire.parse_request(frames, self._encoding)
        except wire.WireError as error:
            self._notices.count("junk", 1, f"ignored what a consumer sent: {error}")
            return
        child = self._names.get(encoded)
        if child is None:
            self._notices.count(
                "stranger",
                1,
                f"ignored a consumer that is no child of this node: {encoded[:40]!r} (another "
                "pipeline, or another DISCOVERY_ENCODING)",
            )
            return
        now = time.monotonic()
        identity = connection.identity or id(connection).to_bytes(8, "big")
        if isinstance(request, wire.Report):
            answers = self.deliveries.handled(
                connection, identity, request.number, request.milliseconds, now
            )
        else:
            answers = self.deliveries.asks(
                connection, identity, child, request.window, now, request.in_hand
            )
        self._send(answers)

    def _send(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            connection = answer.connection
            assert isinstance(connection, PeerConnection)
            if isinstance(answer, HandOut):
                message: QueuedMessage = answer.message
                connection.send(
                    wire.message_frames(
                        message.flow, message.header, message.payload, answer.number
                    )
                )
            else:
                connection.send(wire.nothing_frames(answer.has_window))

    def _closed(self, connection: PeerConnection, reason: str) -> None:
        self._connections.pop(connection, None)
        if reason:
            self._notices.count("protocol", 1, f"closed a consumer's connection: {reason}")
        identity = connection.identity or id(connection).to_bytes(8, "big")
        self.deliveries.gone(connection, identity, time.monotonic())

    def _drop(self, connection: PeerConnection) -> None:
        connection.close()
        self._closed(connection, "")

    def _given_up(self, child: str, count: int) -> None:
        self._notices.count(
            "lost", count, f"dropped messages for {child}: 3 of its pods were lost with them"
        )


def _ignore(connection: PeerConnection) -> None:
    """A consumer speaks first."""


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens on a host, or on all interfaces: IPv4 and, where there is one, IPv6."""
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() and not host else socket.AF_INET
    try:
        return _bind(family, host, port)
    except OSError as error:
        if family == socket.AF_INET or error.errno == errno.EADDRINUSE:
            raise
        return _bind(socket.AF_INET, host, port)  # the kernel has no IPv6


def _bind(family: int, host: str, port: int) -> socket.socket:
    listener = socket.create_server(
        (host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=family == socket.AF_INET6
    )
    listener.setblocking(False)
    os.set_inheritable(listener.fileno(), False)
    return listener


def _most_connections() -> int:
    """Half of the files that this process may open: the rest serves the task."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST_CONNECTIONS if limit < 0 else min(_MOST_CONNECTIONS, limit // 2)
