"""Suggestions for mistyped words."""

from __future__ import annotations

import pytest

from wrapper.text.suggestions import did_you_mean, near_miss


@pytest.mark.parametrize(
    ("word", "options", "found"),
    [
        ("strat", ["run", "start"], "start"),
        ("START", ["start"], "start"),
        ("start", ["Start", "strat"], "Start"),
        ("start", ["start"], None),
        ("start", ["zebra"], None),
        ("start", [], None),
    ],
)
def test_near_miss(word: str, options: list[str], found: str | None) -> None:
    assert near_miss(word, options) == found


def test_likeness_is_the_required_similarity() -> None:
    assert near_miss("abcd", ["abxx"], likeness=0.5) == "abxx"
    assert near_miss("abcd", ["abxx"], likeness=0.6) is None


def test_did_you_mean() -> None:
    assert did_you_mean("start") == ": did you mean 'start'?"
    assert did_you_mean(None) == ""
