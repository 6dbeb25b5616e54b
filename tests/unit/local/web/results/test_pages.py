"""A result a part at a time."""

from __future__ import annotations

import pytest

from wrapper.local.web.results.compare import difference
from wrapper.local.web.results.pages import page_of, value_at
from wrapper.local.web.server.messages import CommandError

VALUE = {"rows": [{"a": 1}, {"a": 2}], 3: "text", "long": "x" * 500}


def test_page_has_some_parts_and_the_size_of_all() -> None:
    page = page_of(list(range(1000)), [], 500, 2)

    assert page["size"] == 1000
    assert [(part["key"], part["text"]) for part in page["parts"]] == [
        ("500", "500"),
        ("501", "501"),
    ]


def test_path_is_python_code() -> None:
    assert page_of(VALUE, [0, 1, 0], 0, 10)["path"] == "result['rows'][1]['a']"
    assert page_of(VALUE, [1], 0, 10)["path"] == "result[3]"


def test_long_text_is_cut_in_a_line_and_whole_when_asked_for() -> None:
    page = page_of(VALUE, [2], 0, 10)

    assert len(page["text"]) < 130
    assert page["full"] == "x" * 500


@pytest.mark.parametrize("path", [[7], [0, 5], [1, 0], [0, 0, 0, 0]])
def test_path_that_leads_nowhere_is_refused(path) -> None:
    with pytest.raises(CommandError, match="no such part"):
        value_at(VALUE, path)


def test_large_whole_number_is_shown_in_full() -> None:
    assert page_of(2**70, [], 0, 1)["text"] == str(2**70)


def test_difference_names_each_place() -> None:
    left = {"a": 1, "same": [1, 2], "gone": None}
    right = {"a": 1.5, "same": [1, 2, 3]}

    assert difference(left, right) == {
        "rows": [
            {"path": "['a']", "left": "1", "right": "1.5"},
            {"path": "['same'][2]", "left": None, "right": "3"},
            {"path": "['gone']", "left": "null", "right": None},
        ],
        "more": False,
    }


def test_difference_of_equal_values_is_empty() -> None:
    assert difference(VALUE, VALUE) == {"rows": [], "more": False}


def test_difference_of_long_lists_is_cut() -> None:
    found = difference([0] * 1000, [1] * 1000)

    assert len(found["rows"]) == 200
    assert found["more"]


def test_true_is_not_one() -> None:
    assert len(difference([True], [1])["rows"]) == 1
