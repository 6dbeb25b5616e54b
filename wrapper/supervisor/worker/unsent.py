"""What waits to be sent to the worker: the only owner of a message that is not sent yet.

No socket, clock or thread is used here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import Enum

# What a waiting message costs besides its bytes: three objects, and a place in the queue.
MESSAGE_COST = 200

Payload = bytes | bytearray


class MessageKind(Enum):
    """What a message means for the order and the life of what waits."""

    TASK = "a message of user code: kept, but a stopped task needs it no more"
    STEP = "initialized or started: kept, in order"
    FINAL = "the task's end: kept whatever its size, after everything that belongs to the task"
    STOPPED = "the answer to a stop: kept, before everything that user code has sent"
    SIGN = "alive or stopping: has no meaning later, goes before what user code has sent"
    FREE = "belongs to no task, and has no meaning later"

    @property
    def is_kept(self) -> bool:
        """Whether it is kept while the worker is away."""
        return self not in (MessageKind.SIGN, MessageKind.FREE)

    @property
    def ends_task(self) -> bool:
        """Whether the worker's task ends with it."""
        return self in (MessageKind.FINAL, MessageKind.STOPPED)


class Message:
    """An encoded message for the worker.

    Attributes:
        payload: the bytes.
        kind: what it means.
        is_progress: it reports progress, so that only the newest counts.
    """

    __slots__ = ("is_progress", "kind", "payload")

    def __init__(self, payload: Payload, kind: MessageKind, is_progress: bool = False) -> None:
        self.payload = payload
        self.kind = kind
        self.is_progress = is_progress

    @property
    def cost(self) -> int:
        """The memory that it takes, in bytes."""
        return len(self.payload) + MESSAGE_COST


class UnsentMessages:
    """The messages that wait, in the order in which they will be sent.

    Attributes:
        cost: the memory that they take, in bytes.
    """

    def __init__(self) -> None:
        self.cost = 0
        self._ordered: deque[Message] = deque()
        self._overtakable: deque[Message] = deque()  # after all others: SIGN and STOPPED pass them
        self._progress: Message | None = None  # of those that can be overtaken

    def __bool__(self) -> bool:
        return bool(self._ordered or self._overtakable)

    def add(self, message: Message) -> None:
        """Put a message where its kind belongs."""
        kind = message.kind
        if kind is MessageKind.TASK or kind is MessageKind.FREE:
            if message.is_progress:
                if self._progress is not None:
                    self.cost += len(message.payload) - len(self._progress.payload)
                    self._progress.payload = message.payload
                    return
                self._progress = message
            self._overtakable.append(message)
        elif kind is MessageKind.SIGN:
            if any(each.payload == message.payload for each in self._ordered):
                return  # the same sign waits already
            self._ordered.append(message)
        else:
            if kind is MessageKind.STOPPED:
                self._drop_stopped_task()
            else:
                self._ordered.extend(self._overtakable)
                self._overtakable.clear()
                self._progress = None
            self._ordered.append(message)
        self.cost += message.cost

    def put_back(self, messages: Iterable[Message]) -> None:
        """Put messages that a lost connection did not deliver before all others."""
        for message in reversed(list(messages)):
            self._ordered.appendleft(message)
            self.cost += message.cost

    def take(self) -> Message:
        """Remove and return the next message."""
        message = (self._ordered or self._overtakable).popleft()
        if message is self._progress:
            self._progress = None
        self.cost -= message.cost
        return message

    def drop_passing(self) -> None:
        """Drop what has no meaning later: the connection is lost."""
        self._ordered = deque(each for each in self._ordered if each.kind.is_kept)
        self._overtakable = deque(each for each in self._overtakable if each.kind.is_kept)
        self._count()

    def clear(self) -> None:
        """Drop everything."""
        self._ordered.clear()
        self._overtakable.clear()
        self._progress = None
        self.cost = 0

    def _drop_stopped_task(self) -> None:
        """Drop what the newest task has sent; what comes before belongs to a task that ended."""
        ends = [number for number, each in enumerate(self._ordered) if each.kind.ends_task]
        first = ends[-1] + 1 if ends else 0
        self._ordered = deque(
            each
            for number, each in enumerate(self._ordered)
            if number < first or each.kind is not MessageKind.TASK
        )
        self._overtakable = deque(
            each for each in self._overtakable if each.kind is not MessageKind.TASK
        )
        self._progress = None
        self._count()

    def _count(self) -> None:
        self.cost = sum(each.cost for each in (*self._ordered, *self._overtakable))
