"""A value of a result, and its parts a page at a time: 90 MB never reach the browser at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from ..server.messages import CommandError
from .lines import LONG, SHORT, key_text, kind_of, one_line
from .views import views_of


def value_at(value: Any, path: Sequence[int]) -> Any:
    """Return the part of a value at a path of positions.

    Raises:
        CommandError: there is no such part.
    """
    for position in path:
        try:
            if isinstance(value, Mapping):
                value = next(islice(value.values(), position, None))
            elif isinstance(value, (list, tuple)):
                value = value[position]
            else:
                raise IndexError
        except (IndexError, StopIteration):
            raise CommandError("the result has no such part") from None
    return value


def written_path(value: Any, path: Sequence[int]) -> str:
    """Return a path as Python code that follows `result`."""
    written = "result"
    for position in path:
        key = position
        if isinstance(value, Mapping):
            key = next(islice(value, position, None))
        written += f"[{key!r}]"
        value = value_at(value, [position])
    return written


def page_of(value: Any, path: Sequence[int], start: int, limit: int) -> dict[str, Any]:
    """Describe the value at a path, and `limit` of its parts from `start` on.

    Returns:
        Its `type`, `size` (parts, characters or bytes), `text` for a line, the `views` that it has,
        its `path` as code; and its `parts`, each with `key`, `type`, `size`, `text` and `views`.
        A long text also has `full`, up to a limit.
    """
    part = value_at(value, path)
    page = described(part) | {"path": written_path(value, path), "parts": []}
    if isinstance(part, str) and len(part) > SHORT:
        page["full"] = part[:LONG]
    if isinstance(part, Mapping):
        items = islice(part.items(), start, start + limit)
        page["parts"] = [{"key": key_text(key)} | described(each) for key, each in items]
    elif isinstance(part, (list, tuple)):
        chosen = part[start : start + limit]
        page["parts"] = [
            {"key": str(number)} | described(each) for number, each in enumerate(chosen, start)
        ]
    return page


def described(value: Any) -> dict[str, Any]:
    """Describe a value without its parts."""
    kind, size = kind_of(value)
    return {"type": kind, "size": size, "text": one_line(value), "views": views_of(value)}
