"""HKube's carrier of a trace, read from a value and from a message's first bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.protocol.messages.trace_context import (
    TraceContext,
    context_of_carrier,
    find_context,
)

hexadecimal = st.integers(1, 2**64 - 1).map(lambda number: f"{number:x}")


@pytest.mark.parametrize("encoding", ["json", "msgpack", "bson"])
@given(trace=hexadecimal, span=hexadecimal, parent=hexadecimal, flags=st.integers(0, 3))
def test_context_is_found_in_every_encoding(
    encoding: str, trace: str, span: str, parent: str, flags: int
) -> None:
    carrier = {"uber-trace-id": f"{trace}:{span}:{parent}:{flags:x}"}
    context = TraceContext(trace.zfill(32), span.zfill(16), bool(flags & 1))
    assert context_of_carrier(carrier) == context
    message = {"command": "initialize", "data": {"jobId": "j", "spanId": carrier, "input": []}}
    assert find_context(get_encoding(encoding).encode(message)) == context


def test_traceparent_is_what_the_w3c_asks_for() -> None:
    context = context_of_carrier({"uber-trace-id": "E4bd:2665:1cac:1"})
    assert context is not None
    assert context.traceparent == "00-0000000000000000000000000000e4bd-0000000000002665-01"
    unsampled = context_of_carrier({"uber-trace-id": "e4bd%3A2665%3A0%3A0"})
    assert unsampled is not None and unsampled.traceparent.endswith("-00")


@pytest.mark.parametrize(
    "carrier",
    [None, "x", {}, {"uber-trace-id": 5}, {"uber-trace-id": ""}, {"uber-trace-id": "0:0:0:1"},
     {"uber-trace-id": "1:2:3"}, {"uber-trace-id": "x:2:3:1"}, {"uber-trace-id": "1:2:3:1 "}],
)  # fmt: skip
def test_invalid_carrier_is_none(carrier: object) -> None:
    assert context_of_carrier(carrier) is None


@given(st.binary(max_size=100))
def test_any_bytes_are_searched(junk: bytes) -> None:
    find_context(b'"uber-trace-id' + junk)
