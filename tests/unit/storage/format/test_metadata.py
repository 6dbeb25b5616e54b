"""The metadata that HKube receives about a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy
import pytest

from wrapper.storage.format.metadata import metadata_of


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    "value, expected",
    [
        ({"a": 1}, {"type": "object"}),
        (Point(1), {"type": "object"}),
        ([1, 2], {"type": "array", "size": 2}),
        ((), {"type": "array", "size": 0}),
        (numpy.zeros((3, 2)), {"type": "array", "size": 3}),
        (1, {"type": "int"}),
        (1.5, {"type": "float"}),
        (True, {"type": "bool"}),
        ("x", {"type": "str"}),
        (b"x", {"type": "bytes"}),
        (bytearray(b"x"), {"type": "bytearray"}),
        (None, {"type": "NoneType"}),
    ],
)
def test_types(value: Any, expected: dict[str, Any]) -> None:
    assert metadata_of("green", value, ["green"]) == {"green": expected}


def test_paths_into_the_result() -> None:
    paths = ["green.a.b.0", "green.a", "green.c", "yellow", "yellow.a", 5, None]
    assert metadata_of("green", {"a": {"b": ["x"]}}, paths) == {
        "green.a.b.0": {"type": "str"},
        "green.a": {"type": "object"},
    }


@pytest.mark.parametrize("paths", [None, "green", 5, {"green": 1}])
def test_paths_that_are_not_a_list(paths: object) -> None:
    assert metadata_of("green", 1, paths) == {}
