"""What a value is drawn as."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.local.web.results.pages import page_of
from wrapper.local.web.results.views import view_of, views_of
from wrapper.text.printed_json import as_json

PNG = b"\x89PNG\r\n\x1a\n1234"

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=30,
)


def show(value, kind, start=0, limit=100, sort="", down=False):
    return view_of(value, kind, start, limit, sort, down)


@pytest.mark.parametrize(
    "value, views",
    [
        ([{"a": 1}, {"a": 2}], ["table"]),
        ([1, 2.5, None], ["plot"]),
        ([[1, 2], [3, 4]], ["heat map"]),
        ([[200] * 20] * 20, ["image", "heat map"]),
        ([[[0, 0, 255]] * 2] * 2, ["image"]),
        ([[[0.1, 0.5, 1.0]] * 2] * 2, ["image"]),
        (PNG, ["image"]),
        (base64.b64encode(PNG).decode(), ["image", "text"]),
        ("data:image/png;base64," + base64.b64encode(PNG).decode(), ["image", "text"]),
        ("one\ntwo", ["text"]),
        ("short", []),
        ([1], []),
        ([[1, 2], [3]], []),
        ([[1, True]], []),
        ([], []),
        ({}, []),
        ([{}, {}], []),
        (b"other bytes", []),
        ([None, None], []),
        ([1, "a"], []),
    ],
)
def test_value_has_the_views_that_fit(value, views) -> None:
    assert views_of(value) == views


@given(VALUES)
def test_any_value_can_be_shown_in_all_its_views(value) -> None:
    for kind in views_of(value):
        json.loads(as_json(show(value, kind)))
    page = json.loads(as_json(page_of(value, [], 0, 100)))
    for place in range(len(page["parts"])):
        page_of(value, [place], 0, 100)


def test_table_is_sorted_and_paged() -> None:
    rows = [{"n": 3}, {"n": 1, "t": "x"}, {"n": None}, {"n": "text"}, {"n": 2}]

    assert [row["number"] for row in show(rows, "table", sort="n")["rows"]] == [1, 4, 0, 3, 2]
    assert [row["number"] for row in show(rows, "table", start=3, limit=1)["rows"]] == [3]
    assert show(rows, "table")["columns"] == ["n", "t"]
    assert show(rows, "table")["rows"][1]["cells"] == ["1", "x"]


def test_table_finds_keys_that_are_not_text() -> None:
    assert show([{1: "a"}], "table")["rows"][0]["cells"] == ["a"]


def test_plot_is_thinned_out_but_its_statistics_are_of_all() -> None:
    shown = show([*range(10_000), float("nan")], "plot")

    assert len(shown["numbers"]) <= 4000
    assert shown["statistics"] == {
        "count": 10_001,
        "missing": 1,
        "least": 0,
        "most": 9999,
        "mean": 4999.5,
    }


def test_heat_map_is_thinned_out() -> None:
    shown = show([[row + column for column in range(600)] for row in range(3)], "heat map")

    assert (shown["height"], shown["width"]) == (3, 600)
    assert len(shown["rows"]) == 3
    assert len(shown["rows"][0]) <= 256
    assert shown["low"] == 0


def test_picture_of_fractions_is_scaled_to_bytes() -> None:
    assert show([[[0.0, 0.5, 1.0]]], "image")["rows"] == [[[0, 127, 255]]]
    assert show([[[0, 1, 255]]], "image")["rows"] == [[[0, 1, 255]]]


def test_image_file_is_passed_on() -> None:
    shown = show("data:image/png;base64," + base64.b64encode(PNG).decode(), "image")

    assert base64.b64decode(shown["file"]) == PNG
    assert shown["type"] == "image/png"
