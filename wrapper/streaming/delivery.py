"""Handing messages to the consumers that ask for them, and taking back what they lost.

A message stays with its producer until the consumer reports that it was handled. HKube's wrappers
ask for one message at a time; consumers of this wrapper ask once for a window of messages
(`credits`) and get them as they come, so that nobody has to ask an empty queue again and again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import NamedTuple

from .queue import OutgoingQueue, QueuedMessage
from .statistics import ChildStatistics, EdgeReport

# How long a lost consumer may take to come back under its identity, seconds: libzmq reconnects
# within 0.1 s, a consumer of HKube's Python wrapper gives up on its socket after 5 s.
RETURN_WITHIN = 5.0
# Credits that a consumer may ask for.
MOST_CREDITS = 1024

Connection = Hashable


class Window(NamedTuple):
    """What a consumer of this wrapper asks for.

    Attributes:
        credits: messages that may be in flight to it.
        bytes: of their payloads together; one message always fits.
    """

    credits: int
    bytes: int


class HandOut(NamedTuple):
    """Send this message to a consumer.

    Attributes:
        number: what a consumer with a window names it by when it is handled; None: it has none.
    """

    connection: Connection
    message: QueuedMessage
    number: int | None


class NothingYet(NamedTuple):
    """Tell a consumer that no message waits.

    Attributes:
        has_window: the consumer's window is open: messages will come without another question.
    """

    connection: Connection
    has_window: bool


Answer = HandOut | NothingYet


class _Flight:
    """A message on its way to a consumer, or in its hands."""

    __slots__ = ("message", "number", "sent_at")

    def __init__(self, message: QueuedMessage, number: int, sent_at: float) -> None:
        self.message = message
        self.number = number
        self.sent_at = sent_at


class _Consumer:
    """One consumer: a pod of a child node."""

    __slots__ = (
        *("child", "connection", "flights", "identity"),
        *("in_flight_bytes", "last_done", "lost_at", "next_number", "window"),
    )

    def __init__(self, identity: bytes, child: str, connection: Connection) -> None:
        self.identity = identity
        self.child = child
        self.connection: Connection | None = connection
        self.window: Window | None = None
        self.flights: deque[_Flight] = deque()
        self.in_flight_bytes = 0
        self.next_number = 0
        self.last_done = 0.0
        self.lost_at: float | None = None

    def has_room(self, size: int) -> bool:
        """Whether its window takes another message."""
        window = self.window
        if window is None or self.connection is None:
            return False
        if not self.flights:
            return window.credits > 0
        return len(self.flights) < window.credits and self.in_flight_bytes + size <= window.bytes


class Deliveries:
    """The consumers of a node, and the messages in flight to them.

    Args:
        queue: what is handed out.
        statistics: by child; takes the times.
        lost: called with a child's name and a number of messages when they were dropped because
            too many consumers were lost with them.
    """

    def __init__(
        self,
        queue: OutgoingQueue,
        statistics: Mapping[str, ChildStatistics],
        lost: Callable[[str, int], None],
    ) -> None:
        self._queue = queue
        self._statistics = statistics
        self._lost = lost
        self._consumers: dict[bytes, _Consumer] = {}
        # Those with an open window, by child; turned round so that they are served in turn.
        self._windows: dict[str, deque[_Consumer]] = {name: deque() for name in statistics}
        self.last_asked: float | None = None

    def asks(
        self,
        connection: Connection,
        identity: bytes,
        child: str,
        window: Window | None,
        now: float,
        in_hand: Collection[int] = (),
    ) -> list[Answer]:
        """A consumer asks for messages.

        Args:
            connection: what an answer is sent through.
            identity: the consumer's, by which it is known when it comes back.
            child: the node that it is a pod of.
            window: what it takes without asking again; None: one message, as HKube's wrappers.
            now: seconds, on the caller's clock.
            in_hand: numbers of the messages that it has not handled yet, after a reconnection.
        """
        self.last_asked = now
        consumer = self._consumer(connection, identity, child)
        if consumer.connection != connection:
            # It asks through a new connection: what it did not get through the old one, and what
            # a consumer without a window has in hand (it asks when it has nothing), is lost.
            self._take_back(consumer, in_hand)
            consumer.connection = connection
        if window is None:
            message = self._queue.take(child)
            if message is None:
                return [NothingYet(connection, has_window=False)]
            return [self._hand_out(consumer, message, now)]
        if consumer.window is None:
            self._windows[child].append(consumer)
        consumer.window = Window(min(window.credits, MOST_CREDITS), window.bytes)
        return self._fill(consumer, now) or [NothingYet(connection, has_window=True)]

    def queued(self, child: str, now: float) -> list[Answer]:
        """A message was queued for a child: hand out what its consumers have room for."""
        answers: list[Answer] = []
        windows = self._windows[child]
        for _ in range(len(windows)):
            waiting = self._queue.first(child)
            if waiting is None:
                break
            consumer = windows[0]
            windows.rotate(-1)
            if consumer.has_room(waiting.size):
                message = self._queue.take(child)
                assert message is not None
                answers.append(self._hand_out(consumer, message, now))
        return answers

    def handled(
        self, connection: Connection, identity: bytes, number: int | None, own: float, now: float
    ) -> list[Answer]:
        """A consumer has handled a message.

        Args:
            connection: of the consumer.
            identity: of the consumer.
            number: of the message, if the consumer has a window; None: the oldest in its hands.
            own: milliseconds that it took, as the consumer measured them.
            now: seconds, on the caller's clock.

        Returns:
            What it may have next, if its window is open.
        """
        self.last_asked = now
        consumer = self._consumers.get(identity)
        if consumer is None or not consumer.flights:
            return []
        flight = _take_flight(consumer.flights, number)
        if flight is None:
            return []
        consumer.in_flight_bytes -= flight.message.size
        # While a message waits behind another one in the consumer's hands it is not being handled:
        # that time would make HKube's scaler start too many pods.
        since = max(flight.sent_at, consumer.last_done) if consumer.window else flight.sent_at
        consumer.last_done = now
        self._statistics[consumer.child].handled((now - since) * 1000, own)
        self._queue.done(consumer.child, flight.message)
        return self._fill(consumer, now) if consumer.window is not None else []

    def gone(self, connection: Connection, identity: bytes, now: float) -> None:
        """A connection has ended; its consumer may come back under its identity."""
        consumer = self._consumers.get(identity)
        if consumer is None or consumer.connection != connection:
            return
        consumer.connection = None
        consumer.lost_at = now
        self._close_window(consumer)
        if not consumer.flights:
            del self._consumers[identity]

    def deadline(self) -> float | None:
        """When `tick` is to be called next; None: never."""
        lost = [each.lost_at for each in self._consumers.values() if each.lost_at is not None]
        return min(lost) + RETURN_WITHIN if lost else None

    def tick(self, now: float) -> list[Answer]:
        """Give up on consumers that did not come back: others get what they had."""
        answers: list[Answer] = []
        for consumer in list(self._consumers.values()):
            if consumer.lost_at is not None and now - consumer.lost_at >= RETURN_WITHIN:
                del self._consumers[consumer.identity]
                messages = [flight.message for flight in consumer.flights]
                self._lose(consumer.child, messages)
                for _ in messages:
                    answers += self.queued(consumer.child, now)
        return answers

    def in_flight(self, child: str) -> int:
        """How many messages are in the hands of a child's consumers."""
        return sum(len(each.flights) for each in self._consumers.values() if each.child == child)

    def report(self) -> list[EdgeReport]:
        """The statistics of each child since the last report."""
        return [
            statistics.report(name, self._queue.counts(name))
            for name, statistics in self._statistics.items()
        ]

    def _consumer(self, connection: Connection, identity: bytes, child: str) -> _Consumer:
        consumer = self._consumers.get(identity)
        if consumer is not None and consumer.child != child:
            # Another node under an identity that is taken: what it had goes to others.
            self._take_back(consumer, ())
            self._close_window(consumer)
            consumer = None
        if consumer is None:
            consumer = self._consumers[identity] = _Consumer(identity, child, connection)
        consumer.lost_at = None
        return consumer

    def _take_back(self, consumer: _Consumer, in_hand: Collection[int]) -> None:
        kept = [flight for flight in consumer.flights if flight.number in in_hand]
        lost = [flight.message for flight in consumer.flights if flight.number not in in_hand]
        consumer.flights = deque(kept)
        consumer.in_flight_bytes = sum(flight.message.size for flight in kept)
        self._lose(consumer.child, lost)

    def _lose(self, child: str, messages: Sequence[QueuedMessage]) -> None:
        dropped = self._queue.lost(child, messages)
        if dropped:
            self._lost(child, dropped)

    def _fill(self, consumer: _Consumer, now: float) -> list[Answer]:
        answers: list[Answer] = []
        while True:
            waiting = self._queue.first(consumer.child)
            if waiting is None or not consumer.has_room(waiting.size):
                return answers
            message = self._queue.take(consumer.child)
            assert message is not None
            answers.append(self._hand_out(consumer, message, now))

    def _hand_out(self, consumer: _Consumer, message: QueuedMessage, now: float) -> HandOut:
        number = consumer.next_number
        consumer.next_number += 1
        consumer.flights.append(_Flight(message, number, now))
        consumer.in_flight_bytes += message.size
        self._statistics[consumer.child].sent((now - message.queued_at) * 1000)
        assert consumer.connection is not None
        return HandOut(consumer.connection, message, number if consumer.window else None)

    def _close_window(self, consumer: _Consumer) -> None:
        if consumer.window is not None:
            consumer.window = None
            self._windows[consumer.child].remove(consumer)


def _take_flight(flights: deque[_Flight], number: int | None) -> _Flight | None:
    if number is None or flights[0].number == number:  # nearly always
        return flights.popleft()
    for flight in flights:
        if flight.number == number:
            flights.remove(flight)
            return flight
    return None
