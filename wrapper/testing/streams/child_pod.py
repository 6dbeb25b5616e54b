"""A pod of a node after the node under test, which fetches its messages as a test wants."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from ...protocol.zmtp.frames import Limits
from ...protocol.zmtp.handshake import DEALER, Ready
from ...storage.format.encoded import Encoded, decode_value
from ...streaming import wire
from ...streaming.asking import Handled
from ...streaming.flows import Hops
from ...supervisor.loop.burst import Burst
from ...supervisor.loop.poller import Poller
from ...supervisor.streams.connection import Frames, PeerConnection

if TYPE_CHECKING:
    from ...protocol.encoding.encoding import Encoding

_RETRY_AFTER = 0.02  # seconds; the node listens only once its task has begun
_ASK_AGAIN_AFTER = 0.005
_LIMITS = Limits(message_bytes=1 << 40, frames=8)


class SentMessage(NamedTuple):
    """A message that the node under test has sent.

    Attributes:
        value: What it sent.
        node: The node that received it.
        flow: The rest of its flow: ``[{"source": …, "next": […]}]``.
    """

    value: Any
    node: str
    flow: Hops


class ChildPod:
    """Asks for one message at a time, as HKube's wrappers do: so it knows when none is left.

    Everything in this class is called in one thread.

    Args:
        node: the name of its node.
        port: what the node under test listens on.
        encoding: of names, flows and values between nodes.
        poller: waits for its socket.
        on_message: called with each message.

    Attributes:
        seconds_each: how long it handles each message.
        dies_with: how many of the next messages it dies with, before it has handled them.
    """

    def __init__(
        self,
        node: str,
        port: int,
        encoding: Encoding,
        poller: Poller,
        on_message: Callable[[SentMessage], None],
    ) -> None:
        self.node = node
        self.seconds_each = 0.0
        self.dies_with = 0
        self._port = port
        self._encoding = encoding
        self._name = wire.encode_plain(node, encoding)
        # Kept by its successor, so that what it dies with is sent again at once. The node would
        # wait 5 seconds for a pod that may come back.
        self._identity = uuid.uuid4().hex.encode()
        self._poller = poller
        self._on_message = on_message
        self._connection: PeerConnection | None = None
        self._connect_at: float | None = 0.0
        self._ask_at: float | None = None
        self._handled_at: float | None = None
        self._asked_at: float | None = None
        self._found_nothing_at = -1.0
        self._is_paused = False

    @property
    def is_resting(self) -> bool:
        """Whether it is paused and no answer is due, so that nothing more can arrive."""
        return self._is_paused and self._asked_at is None and self._handled_at is None

    @property
    def is_connected(self) -> bool:
        """Whether the node under test serves it."""
        return self._connection is not None and self._connection.is_ready

    def has_found_nothing_since(self, mark: float) -> bool:
        """Whether it has asked since then, and there was no message."""
        return self._found_nothing_at > mark

    def pause(self, paused: bool) -> None:
        """Ask for nothing until it goes on."""
        self._is_paused = paused

    def close(self) -> None:
        """Close the connection."""
        self._connect_at = self._ask_at = self._handled_at = None
        if self._connection is not None:
            self._connection.close()

    def deadline(self) -> float | None:
        """When `tick` is due; None: never."""
        ask_at = None if self._is_paused else self._ask_at
        due = [at for at in (self._connect_at, ask_at, self._handled_at) if at is not None]
        return min(due, default=None)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self._connect_at is not None and now >= self._connect_at:
            self._connect_at = None
            self._connect()
        if self._handled_at is not None and now >= self._handled_at:
            self._handled_at = None
            self._report_handled()
            self._ask_at = now
        if self._ask_at is not None and now >= self._ask_at and not self._is_paused:
            self._ask(now)

    def _connect(self) -> None:
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sock.connect(("127.0.0.1", self._port))
        except BlockingIOError:
            pass
        self._connection = PeerConnection(
            sock,
            Ready(DEALER, self._identity),
            _LIMITS,
            self._poller,
            self._ready,
            self._take,
            self._closed,
            Burst(),
        )
        self._connection.start()

    def _ready(self, connection: PeerConnection) -> None:
        self._ask_at = 0.0

    def _closed(self, connection: PeerConnection, reason: str) -> None:
        self._lose_connection()

    def _lose_connection(self) -> None:
        self._connection = None
        self._ask_at = self._asked_at = self._handled_at = None
        self._connect_at = monotonic() + _RETRY_AFTER

    def _ask(self, now: float) -> None:
        assert self._connection is not None
        self._ask_at = None
        self._asked_at = now
        self._connection.send(wire.plain_question_frames(self._name))

    def _take(self, connection: PeerConnection, frames: Frames) -> None:
        asked_at, self._asked_at = self._asked_at, None
        answer = wire.parse_answer(frames)
        now = monotonic()
        if isinstance(answer, wire.Nothing):
            assert asked_at is not None
            self._found_nothing_at = asked_at
            self._ask_at = now + _ASK_AGAIN_AFTER
        elif self.dies_with:
            self.dies_with -= 1
            connection.close()
            self._lose_connection()
            self._connect_at = now
        else:
            self._on_message(self._decoded(answer))
            self._handled_at = now + self.seconds_each

    def _decoded(self, message: wire.StreamedMessage) -> SentMessage:
        stored = Encoded(bytes(message.header), message.payload)
        value = decode_value(stored, self._encoding.name)
        flow = wire.decode_plain(message.flow, self._encoding)
        return SentMessage(value, self.node, flow)

    def _report_handled(self) -> None:
        if self._connection is not None:
            handled = Handled(self.node, None, self.seconds_each * 1000)
            self._connection.send(wire.handled_frames(self._name, handled, self._encoding))
