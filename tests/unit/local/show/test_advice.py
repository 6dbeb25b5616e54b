"""Hints for failed tasks."""

from __future__ import annotations

import pytest

from wrapper.local.show.advice import advice
from wrapper.local.worker.events import Failed
from wrapper.local.worker.job import make_job


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
            "install the package that contains cv2.x here, and add it to requirements.txt",
        ),
        ("BdbQuit (a.py:2)", "", "use breakpoint() with --in-process"),
        ("EOFError: EOF when reading a line", "> 3 | name = input()", "nobody can answer input()"),
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
def test_no_hint_for_an_unknown_failure(message: str, details: str) -> None:
    assert advice(Failed("AlgorithmError", message, details), make_job([1], "a")) is None


@pytest.mark.parametrize("item", ["#[1,2]", "#[1...3]", "*@node", "#@node.a", "*#@node"])
def test_unread_reference_gets_a_hint(item: str) -> None:
    given = advice(Failed("AlgorithmError", "TypeError: odd", ""), make_job([1, item], "a"))
    assert given is not None
    assert given.startswith(f"'{item}' is plain text here; add --flow-input '{{}}'")


@pytest.mark.parametrize("item", ["#1", "# a title", "plain", "@", "@bob", "a@b.c"])
def test_plain_text_gets_no_reference_hint(item: str) -> None:
    assert advice(Failed("AlgorithmError", "TypeError: odd", ""), make_job([item], "a")) is None


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        (": add 'opencv-python' to requirements.txt", "pip install opencv-python"),
        (
            ", though requirements.txt lists it: install it, or rebuild the image",
            "pip install -r requirements.txt, in its folder",
        ),
        (": add its package to requirements.txt, most likely 'cv2'", None),
        (": did you mean 'cv3'? (or add 'opencv-python' to requirements.txt)", None),
    ],
)
def test_known_missing_package_gets_a_pip_command(message: str, hint: str | None) -> None:
    failure = Failed("LoadError", f"a.py:1 imports 'cv2', which is not installed{message}", "")
    given = advice(failure, make_job([], "a"))
    assert given == (hint and f"to run it on this machine: {hint}")


def test_index_error_with_input_gets_no_input_hint() -> None:
    failure = Failed("AlgorithmError", "IndexError: list index out of range", "")
    assert advice(failure, make_job([1], "a")) is None
