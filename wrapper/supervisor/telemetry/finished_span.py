"""A section of a task that is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

INTERNAL, SERVER, CLIENT = 1, 2, 3  # kinds of spans, as OTLP numbers them


class FinishedSpan(NamedTuple):
    """A span, ready to be sent.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        parent_id: the same of the span above; empty: none.
        name: what took the time.
        kind: INTERNAL, SERVER or CLIENT.
        start: nanoseconds since 1970.
        end: nanoseconds since 1970.
        attributes: what else is known.
        events: moments within the span, each with its time.
        error: why it failed; None if it did not.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    start: int
    end: int
    attributes: Mapping[str, Any]
    events: tuple[tuple[int, str], ...] = ()
    error: str | None = None
