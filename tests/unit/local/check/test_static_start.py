"""Finding `start` without importing the module."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wrapper.errors import LoadError
from wrapper.local.check.static_start import find_start
from wrapper.local.source.source import AlgorithmSource


@pytest.mark.parametrize(
    "text",
    [
        "def start(args): pass",
        "async def start(args): pass",
        "import numpy_that_is_not_here\nclass start: pass",
        "from helper import go as start",
        "from helper import *",
        "start = stop = print",
        "if True:\n    start: int = 1",
        "try:\n    from a import start\nexcept ImportError:\n    def start(args): pass",
        "for name in ['start']:\n    globals()[name] = print",
        "if 0: pass\n" + "elif 1: pass\n" * 500 + "else: start = print",
        "with open('x') as f:\n    def start(args): pass",
    ],
)
def test_start_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "main.py").write_text(text)
    assert find_start(AlgorithmSource("alg", tmp_path, "main")) == tmp_path / "main.py"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "main.py has no function 'start'; expected start(args) or start(args, hkubeApi)"),
        (
            "def strat(): pass",
            "main.py has no function 'start'; it has 'strat': did you mean 'start'?",
        ),
        ("class A:\n    def start(self): pass", "main.py has no function 'start'"),
        ("def f():\n    start = 1", "main.py has no function 'start'"),
        ("x = 1\ndef start(:", "main.py:2 is not valid Python: "),
        ("a\0b", "main.py:1 holds a null byte"),
        ("-" * 100_000 + "1", "main.py"),
    ],
)
def test_missing_start_is_reported(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "main.py").write_text(text)
    with pytest.raises(LoadError) as caught:
        find_start(AlgorithmSource("alg", tmp_path, "main.py"))
    assert problem in str(caught.value)


def test_missing_file_names_the_others(tmp_path: Path) -> None:
    (tmp_path / "alg.py").touch()
    with pytest.raises(LoadError, match=r"no file main.py in .*; found: alg.py"):
        find_start(AlgorithmSource("alg", tmp_path, "main.py"))


def test_compiled_module_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "main.pyc").write_bytes(b"\0\0")
    assert find_start(AlgorithmSource("alg", tmp_path, "main.pyc")).name == "main.pyc"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    text=st.text()
    | st.lists(st.sampled_from(["def start", "(", ")", ":", "\n", " ", "x"])).map("".join)
)
def test_any_text_is_accepted_or_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "main.py").write_text(text, encoding="utf-8", errors="replace")
    message = "main.py"
    try:
        find_start(AlgorithmSource("alg", tmp_path, "main.py"))
    except LoadError as error:
        message = str(error)
    assert message.startswith("main.py")
