"""What a value is besides a tree: a table, a plot, a heat map, an image, a text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from .lines import LONG, one_line

_LOOKED_AT = 200
"""Elements from which the kind of a list is told."""
_MOST_POINTS = 4000
_MOST_CELLS = 256
"""Rows and columns of a heat map; a larger one is thinned out."""
_MOST_PIXELS = 1024
"""Rows and columns of an image that is sent."""
_MOST_COLUMNS = 50
_LARGEST_FILE = 20 * 1024**2
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
_SIGNATURES_AS_TEXT = ("iVBORw0KGgo", "/9j/", "data:image/png;base64,", "data:image/jpeg;base64,")


def views_of(value: Any) -> list[str]:
    """Return the views of a value, the best one first; none if only the tree shows it."""
    if isinstance(value, str):
        if value.startswith(_SIGNATURES_AS_TEXT) and _file_of(value) is not None:
            return ["image", "text"]
        return ["text"] if "\n" in value or len(value) > _LOOKED_AT else []
    if isinstance(value, (bytes, bytearray)):
        return ["image"] if _file_of(value) is not None else []
    if not isinstance(value, (list, tuple)) or not value:
        return []
    first = value[:_LOOKED_AT]
    if all(isinstance(each, Mapping) and each for each in first):
        return ["table"]
    if len(value) > 1 and all(_is_number(each) or each is None for each in first):
        return ["plot"] if any(_is_number(each) for each in first) else []
    if all(_is_row(each, len(first[0]) if _is_list(first[0]) else 0) for each in first):
        return ["image", "heat map"] if _is_picture(value) else ["heat map"]
    if all(_is_list(each) and each and all(map(_is_pixel, each[:3])) for each in first):
        return ["image"]
    return []


def view_of(value: Any, kind: str, start: int, limit: int, sort: str, down: bool) -> dict[str, Any]:
    """Return what a view shows.

    Args:
        value: a value that has the view.
        kind: the view.
        start: first row of a table.
        limit: rows of a table.
        sort: column that a table is sorted by; empty for its own order.
        down: sort from large to small.

    Returns:
        table: `columns`, `rows` (texts), `total`. plot: `numbers`, `every` (1: all of them) and
        `statistics`. heat map: `rows`, `low`, `high`, `height`, `width`. image: `file` in base64
        with `type`, or `rows` of pixels. text: `text`.
    """
    if kind == "table":
        return _table(value, start, limit, sort, down)
    return _MAKERS[kind](value)


def _table(value: Any, start: int, limit: int, sort: str, down: bool) -> dict[str, Any]:
    columns = list(dict.fromkeys(str(key) for row in value[:_LOOKED_AT] for key in row))
    shown = columns[:_MOST_COLUMNS]
    order: Sequence[int] = range(len(value))
    if sort:
        order = sorted(order, key=lambda place: _rank(_cell(value[place], sort)), reverse=down)
    rows = [
        {"number": place, "cells": [_shown(_cell(value[place], name)) for name in shown]}
        for place in order[start : start + limit]
    ]
    numeric = [
        all(_is_number(cell) or cell is None for cell in (_cell(row, name) for row in value[:50]))
        for name in shown
    ]
    return {
        "columns": shown,
        "numeric": numeric,
        "rows": rows,
        "total": len(value),
        "hidden": len(columns) - len(shown),
    }


def _cell(row: Any, name: str) -> Any:
    if not isinstance(row, Mapping):
        return None
    if name in row:
        return row[name]
    return next((each for key, each in row.items() if str(key) == name), None)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value[:200] if isinstance(value, str) else one_line(value)


def _rank(value: Any) -> tuple[int, Any]:
    """Order values of any type: numbers, then texts, then others, then missing ones."""
    if _is_number(value):
        return (0, value) if value == value else (3, 0)
    if isinstance(value, str):
        return 1, value
    return (3, 0) if value is None else (2, repr(value)[:200])


def _plot(value: Any) -> dict[str, Any]:
    every = max(1, -(-len(value) // _MOST_POINTS))
    numbers = [_finite(each) for each in value[::every]]
    known = [each for each in map(_finite, value) if each is not None]
    statistics = {
        "count": len(value),
        "missing": len(value) - len(known),
        "least": min(known, default=None),
        "most": max(known, default=None),
        "mean": sum(known) / len(known) if known else None,
    }
    return {"numbers": numbers, "every": every, "statistics": statistics}


def _heat_map(value: Any) -> dict[str, Any]:
    height, width = len(value), len(value[0])
    rows = _thinned(value, _MOST_CELLS)
    shown = [[_finite(each) for each in _thinned(row, _MOST_CELLS)] for row in rows]
    known = [each for row in shown for each in row if each is not None]
    return {
        "rows": shown,
        "low": min(known, default=0),
        "high": max(known, default=0),
        "height": height,
        "width": width,
    }


def _image(value: Any) -> dict[str, Any]:
    file = _file_of(value) if isinstance(value, (str, bytes, bytearray)) else None
    if file is not None:
        kind = next(kind for start, kind in _SIGNATURES.items() if file.startswith(start))
        return {"file": base64.b64encode(file).decode(), "type": kind, "bytes": len(file)}
    rows = [_thinned(row, _MOST_PIXELS) for row in _thinned(value, _MOST_PIXELS)]
    flat = [part for row in islice(rows, 50) for pixel in row for part in _parts(pixel)]
    scale = (
        255 if max(flat, default=0) <= 1 and any(isinstance(each, float) for each in flat) else 1
    )
    return {
        "rows": [
            [[_byte(part * scale) for part in _parts(pixel)] for pixel in row] for row in rows
        ],
        "height": len(value),
        "width": len(value[0]),
    }


def _text(value: Any) -> dict[str, Any]:
    return {"text": value[:LONG], "total": len(value)}


_MAKERS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "plot": _plot,
    "heat map": _heat_map,
    "image": _image,
    "text": _text,
}


def _file_of(value: str | bytes | bytearray) -> bytes | None:
    """Return the PNG or JPEG file that a value holds, perhaps in base64; None if it is none."""
    if len(value) > _LARGEST_FILE:
        return None
    if isinstance(value, str):
        try:
            value = base64.b64decode(value.partition(",")[2] or value, validate=True)
        except (binascii.Error, ValueError):
            return None
    return bytes(value) if value.startswith(tuple(_SIGNATURES)) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _is_row(value: Any, width: int) -> bool:
    """Whether a value is a row of a matrix: a list of `width` numbers, or of missing ones."""
    return (
        _is_list(value)
        and 0 < len(value) == width
        and all(_is_number(each) or each is None for each in islice(value, _LOOKED_AT))
    )


def _is_picture(value: Any) -> bool:
    """Whether a matrix is a grey picture: many whole numbers from 0 to 255, some of them large."""
    some = [each for row in value[:_LOOKED_AT] for each in row[:_LOOKED_AT]]
    return (
        min(len(value), len(value[0])) >= 16
        and all(isinstance(each, int) and 0 <= each <= 255 for each in some)
        and max(some) > 100
    )


def _is_pixel(value: Any) -> bool:
    return (
        _is_list(value)
        and len(value) in (3, 4)
        and all(_is_number(each) and 0 <= each <= 255 for each in value)
    )


def _parts(pixel: Any) -> Sequence[Any]:
    return pixel if _is_list(pixel) else (pixel,)


def _byte(value: Any) -> int:
    return max(0, min(255, int(value))) if _is_number(value) and value == value else 0


def _thinned(value: Sequence[Any], most: int) -> Sequence[Any]:
    """Return every n-th element, so that there are at most `most`."""
    return value[:: max(1, -(-len(value) // most))]


def _finite(value: Any) -> float | None:
    if not _is_number(value) or value != value or value in (float("inf"), float("-inf")):
        return None
    return value if isinstance(value, float) or abs(value) < 2**53 else float(value)
