"""The messages that wait to be fetched by this node's children.

A message for several children is kept once, and counts once, until the last of them has handled
it. Where the limit of bytes is exceeded the oldest message is dropped, as HKube's wrappers do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Piece = bytes | bytearray | memoryview


class QueuedMessage:
    """One message.

    Attributes:
        number: ascending in the order of sending.
        flow: the rest of its flow, encoded.
        header: HKube's 8 bytes.
        payload: the encoded value.
        queued_at: seconds, on the caller's clock.
        open_for: how many children have not handled it yet.
        losses: how many consumers were lost with it in hand, by the child's name.
    """

    __slots__ = ("flow", "header", "losses", "number", "open_for", "payload", "queued_at")

    def __init__(
        self, number: int, flow: Piece, header: Piece, payload: Piece, queued_at: float
    ) -> None:
        self.number = number
        self.flow = flow
        self.header = header
        self.payload = payload
        self.queued_at = queued_at
        self.open_for = 0
        self.losses: dict[str, int] | None = None

    @property
    def size(self) -> int:
        """Bytes of the payload, which HKube's wrappers count; headers are not counted."""
        return len(self.payload)


class ChildCounts(NamedTuple):
    """What became of the messages for one child.

    Attributes:
        waiting: not fetched yet.
        sent: fetched, without those that came back.
        responses: handled.
        dropped: given up.
        redelivered: handed out again, because their consumer was lost.
    """

    waiting: int
    sent: int
    responses: int
    dropped: int
    redelivered: int


class _ChildQueue:
    """The messages for one child, and their counts."""

    __slots__ = ("dropped", "redelivered", "responses", "sent", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[QueuedMessage] = deque()
        self.sent = 0
        self.responses = 0
        self.dropped = 0
        self.redelivered = 0


class OutgoingQueue:
    """The queue of a node.

    Args:
        children: the names of the nodes that fetch from here.
        limit: bytes of all messages together, those in flight included.
        max_deliveries: a message that this many consumers were lost with, while it was the next
            that they had to handle, is dropped.
    """

    def __init__(self, children: Iterable[str], limit: int, max_deliveries: int = 3) -> None:
        self._children = {name: _ChildQueue() for name in children}
        self._limit = limit
        self._max_deliveries = max_deliveries
        self._next_number = 0
        self._open = 0  # messages that some child has not handled yet
        self.bytes = 0

    @property
    def limit(self) -> int:
        """Bytes that the queue may hold."""
        return self._limit

    def would_exceed(self, size: int) -> bool:
        """Whether a message of this size would push another one out."""
        return self.bytes > 0 and self.bytes + size > self._limit

    def append(
        self, flow: Piece, header: Piece, payload: Piece, targets: Sequence[str], now: float
    ) -> tuple[QueuedMessage, int]:
        """Queue a message for some of the children.

        Args:
            flow: the rest of its flow, encoded.
            header: HKube's 8 bytes.
            payload: the encoded value.
            targets: names of children, at least one.
            now: seconds, on the caller's clock.

        Returns:
            The message, and how many messages were dropped to make room for it.
        """
        dropped = 0
        while self.would_exceed(len(payload)) and self._drop_oldest():
            dropped += 1
        message = QueuedMessage(self._next_number, flow, header, payload, now)
        self._next_number += 1
        message.open_for = len(targets)
        for name in targets:
            self._children[name].waiting.append(message)
        self._open += 1
        self.bytes += len(payload)
        return message, dropped

    def take(self, child: str) -> QueuedMessage | None:
        """The next message for a child; it is in flight until `done` or `lost`."""
        queue = self._children[child]
        if not queue.waiting:
            return None
        message = queue.waiting.popleft()
        queue.sent += 1
        return message

    def done(self, child: str, message: QueuedMessage) -> None:
        """A child has handled a message that it took."""
        self._children[child].responses += 1
        self._close(message)

    def lost(self, child: str, messages: Sequence[QueuedMessage]) -> int:
        """The consumer that took these messages is gone: they wait again, first in the queue.

        Args:
            messages: in the order in which they were taken. Only the first one can be the cause:
                a consumer handles one after the other.

        Returns:
            How many were dropped instead, because too many consumers were lost with them.
        """
        queue = self._children[child]
        dropped = 0
        for number, message in reversed(list(enumerate(messages))):
            queue.sent -= 1
            if number == 0 and self._count_loss(child, message) >= self._max_deliveries:
                queue.dropped += 1
                dropped += 1
                self._close(message)
            else:
                queue.redelivered += 1
                _insert_in_order(queue.waiting, message)
        return dropped

    def _count_loss(self, child: str, message: QueuedMessage) -> int:
        if message.losses is None:
            message.losses = {}
        message.losses[child] = losses = message.losses.get(child, 0) + 1
        return losses

    def reset(self, count: int | None = None) -> int:
        """Drop the oldest messages that wait; those in flight stay.

        Args:
            count: how many; None: all.

        Returns:
            How many were dropped.
        """
        dropped = 0
        while (count is None or dropped < count) and self._drop_oldest():
            dropped += 1
        return dropped

    @property
    def waiting(self) -> int:
        """Messages that wait, counted for each child that has not fetched them."""
        return sum(len(child.waiting) for child in self._children.values())

    def first(self, child: str) -> QueuedMessage | None:
        """The message that `take` would return; it stays."""
        waiting = self._children[child].waiting
        return waiting[0] if waiting else None

    @property
    def is_empty(self) -> bool:
        """Whether every message was handled or dropped."""
        return self._open == 0

    def counts(self, child: str) -> ChildCounts:
        """What became of a child's messages."""
        queue = self._children[child]
        return ChildCounts(
            len(queue.waiting), queue.sent, queue.responses, queue.dropped, queue.redelivered
        )

    def _drop_oldest(self) -> bool:
        """Drop the oldest message that waits for a child; False if none does."""
        oldest: QueuedMessage | None = None
        for queue in self._children.values():
            if queue.waiting and (oldest is None or queue.waiting[0].number < oldest.number):
                oldest = queue.waiting[0]
        if oldest is None:
            return False
        for queue in self._children.values():
            if queue.waiting and queue.waiting[0] is oldest:
                queue.waiting.popleft()
                queue.dropped += 1
                self._close(oldest)
        return True

    def _close(self, message: QueuedMessage) -> None:
        message.open_for -= 1
        if message.open_for == 0:
            self._open -= 1
            self.bytes -= message.size


def _insert_in_order(waiting: deque[QueuedMessage], message: QueuedMessage) -> None:
    """Put a message back before all that were sent later."""
    before = 0
    while before < len(waiting) and waiting[before].number < message.number:
        before += 1
    waiting.insert(before, message)
