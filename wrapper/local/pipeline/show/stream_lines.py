"""Shows a streaming pipeline as lines, for a pipe or a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

from ...worker import events
from ..streaming.actions import EndStream
from ..streaming.edge_statistics import EdgeState
from ..streaming.node_load import NodeLoad

MARK = "[local]"
EVERY = 5.0
"""Seconds between two lines about an edge."""
_MOST_LINES = 30


@final
class StreamLines:
    """Writes lines about a run.

    Args:
        write: writes a line, given without its end.
        write_message: writes a message that left the pipeline.
        started: when the command began, in seconds on the engine's clock.
        brief: leave out what a table shows.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        write_message: Callable[[str, Any], None],
        started: float,
        brief: bool = False,
    ) -> None:
        self._write = write
        self._write_message = write_message
        self._started = started
        self._brief = brief
        self._next = started + EVERY
        self._shown: dict[tuple[str, str], EdgeState] = {}
        self._pods: Mapping[str, int] = {}

    def write(self, line: str) -> None:
        """Show a line as it is."""
        self._write(line)

    def line(self, node: str, line: str) -> None:
        """Show a line that a node's algorithm wrote."""
        self._write(f"[{node}] {line}")

    def say(self, text: str) -> None:
        """Show a message of the command."""
        self._write(f"{MARK} {text}")

    def failed(self, node: str, outcome: events.Failed | events.Lost) -> None:
        """Show why a node's task failed."""
        if isinstance(outcome, events.Lost):
            self.say(f"{node} failed: {outcome.reason}")
            return
        self.say(f"{node} failed: {outcome.message}")
        for line in outcome.details.strip("\n").splitlines()[:_MOST_LINES]:
            self._write(f"    {line}")

    def message(self, node: str, message: Any) -> None:
        """Show a message that left the pipeline."""
        self._write_message(node, message)

    def edges(self, states: list[EdgeState], pods: Mapping[str, int], now: float) -> None:
        """Show the edges on which something has changed, once in some seconds."""
        if self._brief:
            return
        if not self._shown and not any(state.handled or state.queue for state in states):
            self._next = now + EVERY  # nothing has happened yet
        if now < self._next:
            return
        self._next = now + EVERY
        for state in states:
            before = self._shown.get(state.edge)
            is_same = before is not None and before.handled == state.handled
            if not is_same or state.queue:
                self.say(edge_line(state, pods.get(state.edge[1], 0)))
            self._shown[state.edge] = state

    def loads(self, loads: Mapping[str, NodeLoad]) -> None:
        """Show nothing: only the table has room for what the nodes use."""

    def ended(self, end: EndStream, states: list[EdgeState], now: float) -> None:
        """Show how the run ended, and the totals of each edge."""
        for state in states:
            self.say(total_line(state))
        word = "failed" if end.has_failed else "ended"
        self.say(f"{word} after {now - self._started:.2f} s: {end.reason}")


def edge_line(state: EdgeState, pods: int) -> str:
    """Return what happens on an edge now."""
    parts = [
        f"{state.rate:,.0f}/s",
        f"queue {state.queue:,}",
        f"in flight {state.in_flight:,}",
        f"{pods} pod{'' if pods == 1 else 's'}",
    ]
    parts += [f"dropped {state.dropped:,}"] if state.dropped else []
    parts += [f"redelivered {state.redelivered:,}"] if state.redelivered else []
    for name, times in (("waiting", state.waiting), ("handling", state.handling)):
        if times is not None:
            parts.append(f"{name} {milliseconds(times[0])} (p99 {milliseconds(times[1])})")
    return f"{' >> '.join(state.edge)}: {', '.join(parts)}"


def total_line(state: EdgeState) -> str:
    """Return what became of the messages of an edge."""
    parts = [f"{state.handled:,} handled"]
    parts += [f"{state.dropped:,} dropped"] if state.dropped else []
    parts += [f"{state.redelivered:,} redelivered"] if state.redelivered else []
    left = state.queue + state.in_flight
    parts += [f"{left:,} not handled"] if left else []
    return f"{' >> '.join(state.edge)}: {', '.join(parts)}"


def milliseconds(value: float) -> str:
    """Return a time for a person."""
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"
