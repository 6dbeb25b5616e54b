"""Spans in OTLP's JSON, read back by OTLP's own types."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.otlp_receiver import read_spans
from wrapper.supervisor.telemetry.finished_span import FinishedSpan
from wrapper.supervisor.telemetry.otlp import traces_body

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
texts = st.text(max_size=50)


@given(
    name=texts,
    attributes=st.dictionaries(texts, scalars | st.lists(st.integers(), max_size=3), max_size=5),
    error=st.none() | texts,
    parent=st.sampled_from(["", "0" * 15 + "b"]),
)
def test_any_span_arrives_as_it_was(
    name: str, attributes: dict[str, Any], error: str | None, parent: str
) -> None:
    sent = FinishedSpan(
        "0" * 31 + "a", "0" * 15 + "c", parent, name, 3, 10, 10**9 + 10, attributes,
        ((11, "event"),), error,
    )  # fmt: skip
    body = traces_body({"service.name": "s"}, [sent])
    json.loads(body, parse_constant=lambda constant: 1 / 0)  # no NaN
    (read,) = read_spans("application/json", body)
    assert (read.trace_id, read.span_id, read.parent_id) == (sent.trace_id, sent.span_id, parent)
    assert (read.name, read.kind, read.seconds, read.events) == (name, 3, 1.0, ["event"])
    assert (read.failed, read.message) == (error is not None, error or "")
    assert read.resource == {"service.name": "s"}
    for key, value in attributes.items():
        if isinstance(value, (bool, str)) or (isinstance(value, int) and abs(value) < 2**62):
            assert read.attributes[key] == value


def test_long_texts_and_lone_surrogates_are_made_acceptable() -> None:
    span = FinishedSpan("a" * 32, "b" * 16, "", "\ud800", 1, 1, 2, {"k": "x" * 5000}, (), None)
    (read,) = read_spans("application/json", traces_body({}, [span]))
    assert read.name == "?"
    assert len(read.attributes["k"]) == 4000
