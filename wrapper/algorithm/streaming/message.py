"""A message of a parent node, as user code sees it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ...streaming.flows import Hops

# Why it is a context variable: asyncio's tasks, and threads that copy the context, then send along
# the flow of the message that they work on.
CURRENT_MESSAGE: ContextVar[StreamMessage | None] = ContextVar("hkube_stream_message", default=None)


class _Skip:
    """The type of SKIP."""

    def __repr__(self) -> str:
        return "hkube_api.SKIP"


# Returned by a stateless `start` to send nothing on.
SKIP = _Skip()


class StreamMessage:
    """A message that a parent node sent.

    Attributes:
        value: what the parent sent.
        origin: the name of the node that sent it.
        flow: the nodes that are still before it: a list of ``{"source": ..., "next": [...]}``.
    """

    __slots__ = ("_send", "flow", "origin", "value")

    def __init__(
        self, value: Any, origin: str, flow: Hops, send: Callable[[Any, Hops], None]
    ) -> None:
        self.value = value
        self.origin = origin
        self.flow = flow
        self._send = send

    def send(self, value: Any) -> None:
        """Send a value to the next nodes of this message's flow.

        Args:
            value: anything that a result may hold.
        """
        self._send(value, self.flow)

    def __repr__(self) -> str:
        return f"StreamMessage(origin={self.origin!r}, value={self.value!r:.100})"
