"""A value in a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

SHORT = 120
"""Characters of a text that are shown in a line."""
LONG = 100_000
"""Characters of a text that are shown when asked for."""
_ENOUGH = 4


def one_line(value: Any) -> str:
    """Return a value as a short line; only as much of it is read as is shown."""
    if isinstance(value, str):
        return json.dumps(value[:SHORT], ensure_ascii=False) + ("…" if len(value) > SHORT else "")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"{len(value):,} bytes"
    if isinstance(value, Mapping):
        shown = ", ".join(
            f"{key_text(key)}: {_brief(each)}" for key, each in islice(value.items(), _ENOUGH)
        )
        return f"{{{shown}{', …' if len(value) > _ENOUGH else ''}}}"
    if isinstance(value, (list, tuple)):
        shown = ", ".join(_brief(each) for each in value[:_ENOUGH])
        return f"[{shown}{', …' if len(value) > _ENOUGH else ''}]"
    return json.dumps(value, default=repr)


def _brief(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{…}" if value else "{}"
    if isinstance(value, (list, tuple)):
        return "[…]" if value else "[]"
    return one_line(value[:30] if isinstance(value, str) else value)


def key_text(key: Any) -> str:
    """Return a key as it is shown."""
    return key if isinstance(key, str) else repr(key)


def kind_of(value: Any) -> tuple[str, int | None]:
    """Return JSON's name for a value's type, and how many parts, characters or bytes it has."""
    if value is None:
        return "null", None
    if isinstance(value, bool):
        return "boolean", None
    if isinstance(value, (int, float)):
        return "number", None
    if isinstance(value, str):
        return "text", len(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "bytes", len(value)
    if isinstance(value, Mapping):
        return "object", len(value)
    if isinstance(value, (list, tuple)):
        return "list", len(value)
    return type(value).__name__, None
