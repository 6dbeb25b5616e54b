from __future__ import annotations

import sys

import pytest

from wrapper.algorithm.errors.report import report_exception

from .conftest import User


def test_generated_code_is_shown_without_lines(user: User) -> None:
    report = user.report("def start(args):\n    exec('def f():\\n    1 / 0\\nf()')\n")
    assert report.message == "ZeroDivisionError: division by zero (main.py:2, in start)"
    assert 'File "<string>", line 2, in f' in report.details


def test_a_deleted_file_is_shown_without_lines(user: User) -> None:
    error = user.error("def start(args):\n    1 / 0\n")
    (user.folder / "main.py").unlink()
    report = report_exception(error, folder=str(user.folder))
    assert report.message.endswith("(main.py:2, in start)")
    assert report.details == (
        "Traceback (most recent call last):\n"
        '  File "main.py", line 2, in start\n'
        "ZeroDivisionError: division by zero"
    )


def test_a_shortened_file_is_shown_without_lines(user: User) -> None:
    error = user.error("\n\n\ndef start(args):\n    1 / 0\n")
    (user.folder / "main.py").write_text("x\n")
    assert " | " not in report_exception(error, folder=str(user.folder)).details


def test_an_edited_file_is_shown_as_it_is(user: User) -> None:
    user.report("def start(args):\n    1 / 0\n")
    report = user.report("def start(args):\n    return 1 / 0 # edited\n")
    assert "> 2 |     return 1 / 0 # edited" in report.details


@pytest.mark.skipif(sys.version_info < (3, 11), reason="columns came with Python 3.11")
@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("    x = 'é🐍' + args['y']", "args['y']"),
        ("\tx = 1 + args['y']", "args['y']"),
        ("    x = [args['y'] for _ in 'a']", "args['y']"),
    ],
)
def test_the_failing_part_is_underlined(user: User, line: str, marked: str) -> None:
    lines = user.report(f"def start(args):\n{line}\n").details.splitlines()
    at = next(number for number, text in enumerate(lines) if "> 2 |" in text)
    begin = lines[at].index(marked)
    assert lines[at + 1][begin:] == "^" * len(marked)
    assert lines[at + 1][:begin].strip() == "|"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="columns came with Python 3.11")
def test_a_part_of_several_lines_is_underlined_to_the_end_of_its_first(user: User) -> None:
    report = user.report("def start(args):\n    return 1 + int(\n        'x'\n    )\n")
    assert "    > 2 |     return 1 + int(\n        |                ^^^^\n" in report.details


def test_a_whole_line_is_not_underlined(user: User) -> None:
    assert "^" not in user.report("def start(args):\n    int('x')\n").details
