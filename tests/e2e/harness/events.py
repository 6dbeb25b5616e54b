"""What the scripted worker records: one event for each thing that happens on a connection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

RECEIVED = "received"
SENT = "sent"
JUNK = "junk"
CONNECTED = "connected"
DISCONNECTED = "disconnected"


class _Absent:
    """Stands for a key that the message did not have (None is a value)."""

    def __repr__(self) -> str:
        return "<absent>"

    def __bool__(self) -> bool:
        return False


ABSENT: Any = _Absent()


@dataclass(frozen=True)
class Message:
    """One thing that happened on a connection.

    Attributes:
        time: seconds of the monotonic clock.
        kind: RECEIVED, SENT, JUNK, CONNECTED or DISCONNECTED.
        connection: the number of the connection, from 1.
        command: the message's command, or None.
        data: the message's ``data``, ABSENT if it had none.
        error: the message's ``error``, ABSENT if it had none.
        raw: the frame as it was on the wire (str: text, bytes: binary).
    """

    time: float
    kind: str
    connection: int = 0
    command: str | None = None
    data: Any = ABSENT
    error: Any = ABSENT
    raw: str | bytes = b""

    def __str__(self) -> str:
        arrow = {RECEIVED: "←", SENT: "→", JUNK: "→ junk"}.get(self.kind, "·")
        body = self.error if self.error is not ABSENT else self.data
        text = "" if body is ABSENT else f" {body!r:.200}"
        name = self.command or self.kind
        return f"{self.time:12.3f} [{self.connection}] {arrow} {name}{text}"


def listing(events: Iterable[Message], last: int = 40) -> str:
    """The newest events as lines of text, for a failing test's message."""
    lines = [str(event) for event in events if event.command != "alive"]
    return "\n".join(lines[-last:]) or "(nothing happened on the link)"
