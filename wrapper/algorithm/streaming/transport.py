"""What a stream needs of whatever carries its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ...streaming.flows import Hops

if TYPE_CHECKING:
    from collections.abc import Mapping


class ArrivedMessage(NamedTuple):
    """A message that has arrived.

    Attributes:
        delivery: identifies it in the report that it was handled.
        value: the decoded value.
        origin: name of the node that sent it.
        flow: the rest of its flow; None: the sender knows it.
    """

    delivery: Any
    value: Any
    origin: str
    flow: Hops


class Transport(Protocol):
    """Sends messages, and reports those that were handled."""

    def send(self, value: Any, flow_name: str | None, hops: Hops | None) -> None:
        """Send a value along a named flow, along `hops`, or along the default flow.

        Raises:
            StreamingError: it cannot be sent that way.
            EncodingError: the value holds something that cannot be sent.
        """

    def listen(self, listening: bool) -> None:
        """Begin or cease to receive."""

    def handled(self, message: ArrivedMessage, milliseconds: float) -> None:
        """Report that a message was handled."""

    def reset(self, count: int | None) -> None:
        """Drop the oldest messages that wait to be fetched; None: all."""

    def statistics(self) -> dict[str, Any]:
        """The size of the queue, and what became of the messages."""

    def close(self) -> None:
        """Let go of whoever waits: the task has been stopped."""


class WorkerMessages(Protocol):
    """Sends messages to the worker; safe from any thread."""

    def send(self, message: Mapping[str, Any], subject: str) -> None: ...


class FramePipe(Protocol):
    """Sends frames to the supervisor; safe from any thread."""

    def send(self, kind: int, generation: int, payload: bytes | bytearray = b"") -> None: ...
