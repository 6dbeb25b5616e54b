"""Notes about results that are null by accident."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from wrapper.local.run.null_result import null_result_note
from wrapper.local.source.source import open_algorithm


def note(tmp_path: Path, body: str) -> str | None:
    file = tmp_path / "main.py"
    file.write_text("def start(args):\n" + textwrap.indent(textwrap.dedent(body), "    "))
    with open_algorithm(str(file)) as source:
        return null_result_note(source)


@pytest.mark.parametrize(
    "body",
    [
        "total = 1",
        "def inner(): return 1\ninner()",
        "if args: return\nprint()",
        "return",
    ],
)
def test_start_without_a_value(tmp_path: Path, body: str) -> None:
    assert note(tmp_path, body) == "the result is null, because start (main.py:1) returns nothing"


@pytest.mark.parametrize(
    "body",
    [
        "if args: return 1",
        "for each in args: return each",
        "try:\n    return 1\nexcept KeyError:\n    pass",
        "while True:\n    if args: break\n    return 1",
        "with args:\n    if args: return 1",
    ],
)
def test_path_without_a_return(tmp_path: Path, body: str) -> None:
    assert note(tmp_path, body) == "the result is null; start (main.py:1) can end without a return"


@pytest.mark.parametrize(
    "body",
    [
        "return args",
        "return None",
        "if args: return 1\nreturn None",
        "if args: return 1\nelse: raise KeyError",
        "while True:\n    return args",
        "try:\n    pass\nfinally:\n    return args",
    ],
)
def test_null_that_is_meant_or_unknown(tmp_path: Path, body: str) -> None:
    assert note(tmp_path, body) is None


def test_module_that_cannot_be_examined(tmp_path: Path) -> None:
    assert note(tmp_path, "return (") is None
    (tmp_path / "main.py").write_text("from other import start\n")
    with open_algorithm(str(tmp_path / "main.py")) as source:
        assert null_result_note(source) is None
