"""Events that the local worker reports to its listener; how to show them is not decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .answers import Call, Reply


@dataclass(frozen=True)
class Done:
    """The task ended with a result."""

    result: Any


@dataclass(frozen=True)
class Failed:
    """The algorithm answered with an error."""

    code: str
    message: str
    details: str


@dataclass(frozen=True)
class Stopped:
    """The task was stopped on request."""


@dataclass(frozen=True)
class Lost:
    """The task has no result: its process or connection was lost."""

    reason: str


Outcome = Done | Failed | Stopped | Lost


@dataclass(frozen=True)
class WorkerEvent:
    """Base of all events.

    Attributes:
        at: seconds on the worker's clock.
        task_id: the task that was current, or None between tasks.
    """

    at: float
    task_id: str | None


@dataclass(frozen=True)
class Connected(WorkerEvent):
    """The algorithm's WebSocket is open."""

    encoding: str


@dataclass(frozen=True)
class Disconnected(WorkerEvent):
    """The algorithm's WebSocket is closed; `code` is the close code, 1006 if there was none."""

    code: int
    reason: str


@dataclass(frozen=True)
class Sent(WorkerEvent):
    """A lifecycle command was sent to the algorithm: initialize, start, stop or exit."""

    command: str


@dataclass(frozen=True)
class Received(WorkerEvent):
    """A lifecycle command was received: initialized, started, alive, stopping or stopped."""

    command: str


@dataclass(frozen=True)
class MessageReceived(WorkerEvent):
    """A complete message was received; an event with its meaning follows."""

    message: Mapping[str, Any]


@dataclass(frozen=True)
class Progress(WorkerEvent):
    """The algorithm reported its progress; `value` may be of any type."""

    value: Any
    details: Any


@dataclass(frozen=True)
class SpanStarted(WorkerEvent):
    """A span was opened inside the newest open one."""

    name: str
    tags: Mapping[str, Any]


@dataclass(frozen=True)
class SpanFinished(WorkerEvent):
    """The newest open span was closed."""

    tags: Mapping[str, Any]
    error: Any


@dataclass(frozen=True)
class CallStarted(WorkerEvent):
    """The algorithm asked for another algorithm, a pipeline or a data source."""

    call: Call


@dataclass(frozen=True)
class CallAnswered(WorkerEvent):
    """A call of the algorithm was answered."""

    call: Call
    reply: Reply


@dataclass(frozen=True)
class LogLines(WorkerEvent):
    """Lines of the algorithm's output, sent on a debug connection (REDIRECT_LOGS)."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class StreamMessageSent(WorkerEvent):
    """A streaming node sent a message, as to HKube's debug gateway.

    Attributes:
        value: the message.
        flow: the name of its flow; None for the flow of the message in work, or the default.
    """

    value: Any
    flow: str | None


@dataclass(frozen=True)
class StatisticsCame(WorkerEvent):
    """A streaming node reported what became of its messages.

    Attributes:
        reports: an object for each of its children, as HKube's worker takes it.
    """

    reports: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Violation(WorkerEvent):
    """The algorithm broke the protocol in a way that would harm HKube's worker."""

    text: str


@dataclass(frozen=True)
class TaskCompleted(WorkerEvent):
    """The task is over."""

    outcome: Outcome


Listener = Callable[[WorkerEvent], None]
