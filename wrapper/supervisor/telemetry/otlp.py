"""Spans as OTLP writes them in JSON (the body of a request to ``/v1/traces``)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .finished_span import FinishedSpan

_FAILED = 2
_LONGEST_TEXT = 4_000  # characters of a value
_MOST_ATTRIBUTES = 128
_INT64 = 2**63


def traces_body(resource: Mapping[str, str], spans: Iterable[FinishedSpan]) -> bytes:
    """Return the body that carries spans.

    Args:
        resource: attributes of the service.
        spans: what to send.
    """
    scope = {"name": "hkube-wrapper"}
    scope_spans = {"scope": scope, "spans": [_span(span) for span in spans]}
    document = {
        "resourceSpans": [
            {"resource": {"attributes": _attributes(resource)}, "scopeSpans": [scope_spans]}
        ]
    }
    return json.dumps(document).encode()


def _span(span: FinishedSpan) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": _text(span.name),
        "kind": span.kind,
        "startTimeUnixNano": str(span.start),
        "endTimeUnixNano": str(span.end),
        "attributes": _attributes(span.attributes),
        "events": [{"timeUnixNano": str(time), "name": name} for time, name in span.events],
        "status": {},
    }
    if span.parent_id:
        fields["parentSpanId"] = span.parent_id
    if span.error is not None:
        fields["status"] = {"code": _FAILED, "message": _text(span.error)}
    return fields


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    pairs = list(values.items())[:_MOST_ATTRIBUTES]
    return [{"key": _text(str(key)), "value": _value(value)} for key, value in pairs]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return {"intValue": str(value)}
    if isinstance(value, float) and value - value == 0:  # neither NaN nor infinite
        return {"doubleValue": value}
    return {"stringValue": _text(value if isinstance(value, str) else repr(value))}


def _text(text: str) -> str:
    return text[:_LONGEST_TEXT].encode(errors="replace").decode()
