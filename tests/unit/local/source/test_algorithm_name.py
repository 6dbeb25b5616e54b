"""Names of algorithms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.local.source.algorithm_name import MAX_LENGTH, name_problem, suggested_name


@pytest.mark.parametrize("name", ["ab", "a1", "eval-alg", "0.1", "x" * MAX_LENGTH, "a--b", "a..b"])
def test_valid_names(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a", "at least two"),
        ("", "at least two"),
        ("My Alg", "how about 'my-alg'?"),
        ("-alg", "how about 'alg'?"),
        ("alg_1", "how about 'alg-1'?"),
        ("a\\b", "how about 'a-b'?"),
        ("ab\n", "is not a valid HKube name"),
        ("é", "begin and end"),
        ("x" * 33, "has 33 characters, but HKube allows at most 32"),
    ],
)
def test_invalid_names(name: str, text: str) -> None:
    assert text in str(name_problem(name))


@given(st.text())
def test_suggestion_is_valid(name: str) -> None:
    suggestion = suggested_name(name)
    assert suggestion is None or name_problem(suggestion) is None
