"""Where a task stands in a trace: HKube's carrier, and the W3C form that OpenTelemetry uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

CARRIER_KEY = "uber-trace-id"  # Jaeger's
_CARRIER = r"([0-9a-fA-F]{1,32}):([0-9a-fA-F]{1,16}):[0-9a-fA-F]*:([0-9a-fA-F]{1,2})"
_VALUE = re.compile(_CARRIER)
# The key, then what each encoding has before a string: a quotation mark, or the string's length.
_IN_MESSAGE = re.compile(
    CARRIER_KEY.encode()
    + rb'(?:"[ \t\r\n]*:[ \t\r\n]*"|[\xa0-\xbf]|\xd9.|\0....)'
    + _CARRIER.encode(),
    re.DOTALL,
)


class TraceContext(NamedTuple):
    """A span that others hang below.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        is_sampled: the trace is recorded.
    """

    trace_id: str
    span_id: str
    is_sampled: bool

    @property
    def traceparent(self) -> str:
        """The context as the W3C writes it."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.is_sampled):02x}"


def context_of_carrier(carrier: object) -> TraceContext | None:
    """Read the ``spanId`` of a message; None if it holds no valid context."""
    value = carrier.get(CARRIER_KEY) if isinstance(carrier, Mapping) else None
    if not isinstance(value, str):
        return None
    found = _VALUE.fullmatch(value.replace("%3A", ":"))
    return None if found is None else _context(*found.groups())


def find_context(head: bytes | bytearray) -> TraceContext | None:
    """Find the context in the first bytes of a message, in any encoding, without decoding it."""
    found = _IN_MESSAGE.search(head)
    return None if found is None else _context(*(group.decode() for group in found.groups()))


def _context(trace_id: str, span_id: str, flags: str) -> TraceContext | None:
    if not int(trace_id, 16) or not int(span_id, 16):
        return None
    sampled = bool(int(flags, 16) & 1)
    return TraceContext(trace_id.lower().zfill(32), span_id.lower().zfill(16), sampled)
