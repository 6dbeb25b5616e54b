"""JSON as the local tools print it: every value has a form, also those that JSON lacks."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

BASE64 = "$base64"
"""The key that marks bytes: `{"$base64": "iVBORw0KGgo="}`."""


def printable(value: Any) -> Any:
    """Return what stands for a value that JSON lacks; the `default` of `json.dumps`."""
    if isinstance(value, bytes | bytearray | memoryview):
        return {BASE64: base64.b64encode(value).decode("ascii")}
    return repr(value)


def as_json(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON: NaN becomes null, and bytes become `{"$base64": …}`."""
    return "".join(json_pieces(value, indent))


def json_pieces(value: Any, indent: int | None = None) -> Iterator[str]:
    """Yield a value's JSON piece by piece, so that the beginning of a long one costs little."""
    try:
        # This is C code, and much faster than an encoder that indents.
        text = json.dumps(value, ensure_ascii=False, default=printable, allow_nan=False)
        if indent is None:
            yield text
            return
    except (ValueError, TypeError):
        value = _plain(value)
    encoder = json.JSONEncoder(ensure_ascii=False, default=printable, indent=indent)
    yield from encoder.iterencode(value)


def _plain(value: Any) -> Any:
    """Return a value with null in place of NaN, and text in place of other keys."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _key(key: Any) -> Any:
    return key if isinstance(key, str | int | float | None) else repr(key)
