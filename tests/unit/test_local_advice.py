"""What to do about a task that failed."""

from __future__ import annotations

import pytest

from wrapper.local.advice import advice
from wrapper.local.events import Failed
from wrapper.local.job import make_job


@pytest.mark.parametrize(
    ("message", "details", "hint"),
    [
        ("IndexError: list index out of range (a.py:3)", "", "args['input'] is an empty list"),
        (
            "TypeError: list indices must be integers or slices, not str (a.py:3)",
            '> 3 | size = args["input"]["size"]',
            "the first is args['input'][0]",
        ),
        ("KeyError: 'inputs' (a.py:3)", 'args["inputs"]', "did you mean 'input'?"),
        ("KeyError: 'zzz' (a.py:3)", "args['zzz']", "args has no 'zzz'; it has "),
        ("X: there is no answer for algorithm 'b'", "", "--algorithms"),
        ("SystemExit: 0 (a.py:3)", "", "return a result instead"),
        (
            "ModuleNotFoundError: No module named 'cv2.x'",
            "",
            "install what has cv2.x here, and add it to requirements.txt",
        ),
        ("BdbQuit (a.py:2)", "", "run it with --in-process"),
        ("EOFError: EOF when reading a line", "> 3 | name = input()", "no one to answer input()"),
    ],
)
def test_hints(message: str, details: str, hint: str) -> None:
    given = advice(Failed("AlgorithmError", message, details), make_job([], "a"))
    assert given is not None
    assert hint in given


@pytest.mark.parametrize(
    ("message", "details"),
    [
        ("ValueError: odd", ""),
        ("KeyError: 'x'", "row['x']"),
        ("TypeError: list indices must be integers or slices, not str", "rows['x']"),
    ],
)
def test_no_hint_where_nothing_is_known(message: str, details: str) -> None:
    assert advice(Failed("AlgorithmError", message, details), make_job([1], "a")) is None


def test_an_index_error_with_input_has_another_cause() -> None:
    failure = Failed("AlgorithmError", "IndexError: list index out of range", "")
    assert advice(failure, make_job([1], "a")) is None
