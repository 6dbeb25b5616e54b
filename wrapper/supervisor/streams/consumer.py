"""Fetches messages from the pods of this node's parents."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from ...protocol.zmtp.frames import Limits
from ...protocol.zmtp.handshake import DEALER, Ready
from ...streaming import wire
from ...streaming.asking import Ask, Asking, Reconnect
from ..loop.burst import Burst
from ..loop.poller import Poller
from .connection import Frames, PeerConnection
from .notices import Notices

if TYPE_CHECKING:
    from ...protocol.encoding.encoding import Encoding

# A silent parent gets a heartbeat after this many seconds, and a new connection after the second.
_PING_AFTER = 5.0
_SILENT_FOR = 15.0
# Between two tries to connect, seconds: doubled from the first to the second.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_LIMITS = Limits(message_bytes=4 * 1024**3, frames=8)


class ParentAddress(NamedTuple):
    """Where a pod of a parent node listens."""

    host: str
    port: int


class _Link:
    """The connection to one parent's pod, over all its reconnections."""

    __slots__ = ("connection", "heard_at", "identity", "is_pinged", "node", "pause", "retry_at")

    def __init__(self, node: str) -> None:
        self.node = node
        self.identity = _new_identity()
        self.connection: PeerConnection | None = None
        self.pause = _FIRST_PAUSE
        self.retry_at: float | None = None
        self.heard_at = 0.0
        self.is_pinged = False


class Consumer:
    """Connects to parents and passes their messages on.

    Args:
        node: this node's name.
        encoding: of names, flows and reports between nodes.
        poller: of the supervisor.
        post: has a function called in the supervisor's loop; safe from any thread.
        notices: for what parents do wrong.
        deliver: takes a delivery's number, the parent's node and the message.
        burst: gathers what goes to parents.
    """

    def __init__(
        self,
        node: str,
        encoding: Encoding,
        poller: Poller,
        post: Callable[[Callable[[], None]], None],
        notices: Notices,
        deliver: Callable[[int, str, wire.StreamedMessage], None],
        burst: Burst,
    ) -> None:
        self._name = wire.encode_plain(node, encoding)
        self._encoding = encoding
        self._poller = poller
        self._post = post
        self._notices = notices
        self._deliver = deliver
        self._burst = burst
        self._links: dict[ParentAddress, _Link] = {}
        self.asking = Asking()

    def add(self, address: ParentAddress, node: str) -> None:
        """A pod of a parent is there; one that was known at this address has been replaced."""
        self.remove(address)
        self._links[address] = _Link(node)
        self.asking.add(address, node)
        self._connect(address)

    def remove(self, address: ParentAddress) -> None:
        """A pod of a parent has gone."""
        link = self._links.pop(address, None)
        if link is not None:
            if link.connection is not None:
                link.connection.close()
            self.asking.remove(address)

    def close(self) -> None:
        """Close all connections."""
        for address in list(self._links):
            self.remove(address)

    def listen(self, listening: bool) -> None:
        """Begin or cease to ask the parents."""
        self.asking.listen(listening)
        self.ask(time.monotonic())

    def handled(self, delivery: int, milliseconds: float) -> None:
        """The algorithm has handled a message; `ask` once after some of these."""
        handled = self.asking.handled(delivery, milliseconds)
        if handled is not None:
            assert isinstance(handled.address, ParentAddress)
            link = self._links.get(handled.address)
            if link is not None and link.connection is not None:
                link.connection.send(wire.handled_frames(self._name, handled, self._encoding))

    def ask(self, now: float) -> None:
        """Ask whom it is time to ask."""
        for action in self.asking.due(now):
            assert isinstance(action.address, ParentAddress)
            link = self._links[action.address]
            if isinstance(action, Ask) and link.connection is not None:
                link.connection.send(wire.question_frames(self._name, action))
            elif isinstance(action, Reconnect):
                self._notices.count(
                    "silent", 1, f"{link.node} at {_text(action.address)} does not answer"
                )
                # A new identity: the old one may have an answer under way.
                link.identity = _new_identity()
                self._reconnect(action.address, link, now)

    def tick(self, now: float) -> None:
        """Do what is due."""
        for address, link in list(self._links.items()):
            if link.retry_at is not None and now >= link.retry_at:
                link.retry_at = None
                self._connect(address)
            elif link.connection is not None and link.connection.is_ready:
                self._check_life(address, link, link.connection, now)
        self.ask(now)

    def deadline(self, now: float) -> float | None:
        """When `tick` is due; None: never."""
        earliest = self.asking.deadline(now)
        for link in self._links.values():
            at = link.retry_at
            if at is None and link.connection is not None and link.connection.is_ready:
                at = link.heard_at + (_SILENT_FOR if link.is_pinged else _PING_AFTER)
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest

    # ---------------------------------------------------------------------- connections --
    def _check_life(
        self, address: ParentAddress, link: _Link, connection: PeerConnection, now: float
    ) -> None:
        if connection.has_news:
            connection.has_news = False
            link.heard_at = now
            link.is_pinged = False
        elif now - link.heard_at >= _SILENT_FOR:
            self._reconnect(address, link, now)
        elif now - link.heard_at >= _PING_AFTER and not link.is_pinged:
            link.is_pinged = True
            connection.ping(_SILENT_FOR)

    def _connect(self, address: ParentAddress) -> None:
        try:
            found = socket.getaddrinfo(
                address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        except OSError:
            # A name must be looked up, which may take seconds.
            Thread(target=self._resolve, args=(address,), name="hkube-resolve", daemon=True).start()
            return
        self._open(address, found[0])

    def _resolve(self, address: ParentAddress) -> None:
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except OSError:
            self._post(lambda: self._failed(address))
            return
        self._post(lambda: self._open(address, found[0]))

    def _open(self, address: ParentAddress, found: tuple[object, ...]) -> None:
        link = self._links.get(address)
        if link is None or link.connection is not None:
            return
        family, kind, protocol, _, target = found
        try:
            sock = socket.socket(family, kind, protocol)  # type: ignore[arg-type]
        except OSError:
            self._failed(address)
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sock.connect(target)  # type: ignore[arg-type]
        except BlockingIOError:
            pass
        except OSError:
            sock.close()
            self._failed(address)
            return
        link.connection = connection = PeerConnection(
            sock,
            Ready(DEALER, link.identity),
            _LIMITS,
            self._poller,
            lambda _: self._ready(address),
            lambda _, frames: self._take(address, frames),
            lambda _, reason: self._failed(address, reason),
            self._burst,
        )
        connection.start()

    def _ready(self, address: ParentAddress) -> None:
        link = self._links.get(address)
        if link is not None:
            now = time.monotonic()
            link.pause = _FIRST_PAUSE
            link.heard_at = now
            link.is_pinged = False
            self.asking.connected(address)
            self.ask(now)

    def _failed(self, address: ParentAddress, reason: str = "") -> None:
        link = self._links.get(address)
        if link is not None:
            if reason:
                self._notices.count(
                    "protocol", 1, f"lost {link.node} at {_text(address)}: {reason}"
                )
            self._reconnect(address, link, time.monotonic())

    def _reconnect(self, address: ParentAddress, link: _Link, now: float) -> None:
        if link.connection is not None:
            link.connection.close()
            link.connection = None
        self.asking.disconnected(address)
        link.retry_at = now + link.pause
        link.pause = min(link.pause * 2, _LONGEST_PAUSE)

    # ------------------------------------------------------------------------- messages --
    def _take(self, address: ParentAddress, frames: Frames) -> None:
        now = time.monotonic()
        link = self._links.get(address)
        if link is None:
            return
        try:
            answer = wire.parse_answer(frames)
        except wire.WireError as error:
            self._notices.count("answer", 1, f"ignored what {link.node} sent: {error}")
            return
        if isinstance(answer, wire.Nothing):
            self.asking.nothing(address, answer.has_window, now)
            return
        delivery = self.asking.received(address, answer.number, now)
        self._deliver(delivery, link.node, answer)
        if answer.number is None:
            self.ask(now)


def _new_identity() -> bytes:
    """As HKube's wrappers make theirs: unique, and readable where it is logged."""
    return str(uuid.uuid4()).encode("ascii")


def _text(address: ParentAddress) -> str:
    return f"{address.host}:{address.port}"
