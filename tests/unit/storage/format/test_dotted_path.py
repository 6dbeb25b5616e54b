"""Dotted paths inside values."""

from __future__ import annotations

import time
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.storage.format.dotted_path import MISSING, put_at, value_at

VALUE = {"a": [{"b": 1}, (2, 3)], "p.q": {"z": 4}, "x": {"w": 5}, 7: "seven", "none": None}


@pytest.mark.parametrize(
    "path, expected",
    [
        ("a.0.b", 1),
        ("a.1.1", 3),
        ("p.q.z", 4),
        ("x.w", 5),
        ("7", "seven"),
        ("none", None),
        ("a.2", MISSING),
        ("a.-1", MISSING),
        ("a.0.b.c", MISSING),
        ("a.x", MISSING),
        ("a.٣", MISSING),
        ("a." + "9" * 30, MISSING),
        ("", MISSING),
        ("a.", MISSING),
        ("none.x", MISSING),
    ],
)
def test_value_at(path: str, expected: Any) -> None:
    assert value_at(VALUE, path) is expected or value_at(VALUE, path) == expected


def test_long_path_is_rejected_quickly() -> None:
    begun = time.process_time()
    assert value_at({"a": {}}, "a." * 200_000) is MISSING
    assert time.process_time() - begun < 1


def test_text_and_bytes_have_no_items() -> None:
    assert value_at({"t": "text", "b": b"bytes"}, "t.0") is MISSING
    assert value_at({"t": "text", "b": b"bytes"}, "b.0") is MISSING


def test_numpy_arrays() -> None:
    assert value_at({"a": numpy.arange(6).reshape(2, 3)}, "a.1.2") == 5
    assert value_at({"a": numpy.float64(1)}, "a.0") is MISSING


def test_put_at() -> None:
    value: dict[str, Any] = {"a": [1, {"x.y": 2}], "t": (1,)}
    assert put_at(value, "a.0", "new")
    assert put_at(value, "a.1.x.y", "deep")
    assert value == {"a": ["new", {"x.y": "deep"}], "t": (1,)}
    for path in ("a.5", "b", "a.0.c", "t.0", ""):
        assert not put_at(value, path, 0)


@given(st.recursive(st.none(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)), st.text())
def test_any_path_in_any_value(value: Any, path: str) -> None:
    found = value_at(value, path)
    assert put_at({"root": value}, f"root.{path}", found) is (found is not MISSING)
