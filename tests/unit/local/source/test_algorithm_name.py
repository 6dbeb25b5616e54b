"""Names of algorithms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.local.source.algorithm_name import MAX_LENGTH, suggested_name, why_not_a_name


@pytest.mark.parametrize("name", ["ab", "a1", "eval-alg", "0.1", "x" * MAX_LENGTH, "a--b", "a..b"])
def test_names_that_hkube_takes(name: str) -> None:
    assert why_not_a_name(name) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a", "two or more"),
        ("", "two or more"),
        ("My Alg", "how about 'my-alg'?"),
        ("-alg", "how about 'alg'?"),
        ("alg_1", "how about 'alg-1'?"),
        ("a\\b", "how about 'a-b'?"),
        ("ab\n", "is no name that HKube takes"),
        ("é", "first and last"),
        ("x" * 64, "has 64 characters, but HKube takes 63 at most"),
    ],
)
def test_names_that_it_refuses(name: str, text: str) -> None:
    assert text in str(why_not_a_name(name))


@given(st.text())
def test_what_is_suggested_is_taken(name: str) -> None:
    suggestion = suggested_name(name)
    assert suggestion is None or why_not_a_name(suggestion) is None
