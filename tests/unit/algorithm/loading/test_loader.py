from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tests.unit.algorithm.loading.user_code import refusal, started, write
from wrapper.algorithm.loading.loader import EntryPoint, UserAlgorithm, from_functions, load
from wrapper.errors import AlgorithmStopped, LoadError

NAMES = "def start(args):\n    return __name__\n"


# The functions


def test_optional_functions_are_found(folder: Path) -> None:
    write(
        folder,
        main="""
def start(args, hkubeApi): return args, hkubeApi
def initialize(args): return "initialize", args
def stop(): return "stop"
def exit(args): return "exit", args
""",
    )
    algorithm = load(EntryPoint(folder, "main.py"))
    assert algorithm.start("data", "api") == ("data", "api")
    assert algorithm.initialize is not None
    assert algorithm.stop is not None
    assert algorithm.exit is not None
    assert algorithm.initialize("job") == ("initialize", "job")
    assert algorithm.stop("data") == "stop"
    assert algorithm.exit("data") == ("exit", "data")
    assert algorithm.remarks == ()


def test_optional_functions_may_be_absent(folder: Path) -> None:
    write(folder, main=NAMES)
    algorithm = load(EntryPoint(folder, "main.py"))
    assert (algorithm.initialize, algorithm.stop, algorithm.exit) == (None, None, None)


def test_an_async_start_is_loaded(folder: Path) -> None:
    write(folder, main="async def start(args, api):\n    return args, api\n")
    assert asyncio.run(started(folder, data=1)) == (1, "api")


# What goes wrong


def test_a_module_without_start_is_refused(folder: Path) -> None:
    write(folder, main="def strat(args): pass\n")
    assert refusal(folder) == (
        "main.py has no function 'start'; it has 'strat': did you mean 'start'?"
    )


@pytest.mark.parametrize(
    "line",
    [
        "raise SystemExit",
        "raise KeyboardInterrupt",
        "raise GeneratorExit",
        "import sys; sys.exit(3)",
        "raise MemoryError",
        "def f(): f()\nf()",
        "class Odd(BaseException):\n    def __str__(self): raise SystemExit\nraise Odd",
        "raise ImportError",
        "raise ModuleNotFoundError('x', name=5)",
        "raise SyntaxError('x', ('main.py', 'a', 'b', 'c'))",
        "raise ImportError('cannot import name', name='x')",
        "raise AttributeError(obj=1, name='x')",
        "import asyncio; raise asyncio.CancelledError",
        "def __getattr__(name): raise OSError(name)",
        "class Odd:\n    def __getattr__(self, name): raise OSError(name)\nstart = Odd()",
    ],
)
def test_whatever_a_module_raises_is_a_load_error(folder: Path, line: str) -> None:
    write(folder, main=f"{line}\n")
    assert "main.py" in refusal(folder)


def test_a_stop_passes_through(folder: Path) -> None:
    write(
        folder,
        main="from wrapper.errors import AlgorithmStopped\nraise AlgorithmStopped\n",
    )
    with pytest.raises(AlgorithmStopped):
        load(EntryPoint(folder, "main.py"))


def test_a_failed_module_is_imported_again(folder: Path) -> None:
    write(folder, main="raise ValueError\n")
    refusal(folder)
    write(folder, main="# fixed, and longer\n" + NAMES)
    assert started(folder) == "main"


def test_a_failed_module_of_a_package_is_imported_again(folder: Path) -> None:
    write(folder, main="from . import h\nraise ValueError\n", h="")
    refusal(folder)
    write(folder, main="from . import h\n# fixed, and longer\n" + NAMES)
    assert started(folder) == "algo.main"


def test_the_error_holds_no_frames_of_the_users(folder: Path) -> None:
    write(folder, main="big = [0] * 1000\nraise ValueError('x')\n")
    with pytest.raises(LoadError) as caught:
        load(EntryPoint(folder, "main.py"))
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert 'File "main.py", line 2' in caught.value.details


def test_an_unreadable_folder_is_reported(folder: Path) -> None:
    assert "does not exist" in refusal(folder / "none")


@pytest.mark.skipif(os.geteuid() != 0, reason="gives its privileges up for a moment")
def test_a_folder_that_cannot_be_entered_is_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, main=NAMES)

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "chdir", refuse)
    text = refusal(folder)
    monkeypatch.undo()
    assert text == f"cannot enter the folder {folder}: Permission denied"


# A user's own wrapper.py


@pytest.mark.parametrize("file", ["wrapper.py", "wrapper/__init__.py", "src/wrapper.py"])
def test_a_users_own_wrapper_is_named_as_the_problem(folder: Path, file: str) -> None:
    write(folder, src__main=NAMES)
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).touch()
    text = refusal(folder, "src/main.py")
    assert text.startswith(f"{file} has the same name as HKube's package 'wrapper'")
    assert text.endswith("rename it")


def test_an_entry_point_called_wrapper_works(folder: Path) -> None:
    write(folder, wrapper="from wrapper.errors import LoadError\n" + NAMES)
    assert started(folder, "wrapper.py") == "algo.wrapper"


def test_the_folder_that_contains_this_package_is_accepted(folder: Path) -> None:
    (folder / "wrapper").symlink_to(ROOT / "wrapper")
    write(folder, main=NAMES)
    assert started(folder) == "main"


def test_under_another_name_the_users_wrapper_is_theirs(folder: Path) -> None:
    write(folder, main="import wrapper\ndef start(a): return wrapper.x", wrapper="x = 'mine'")
    package = ROOT / "wrapper"
    code = f"""
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location(
    "_other", {str(package / "__init__.py")!r}, submodule_search_locations=[{str(package)!r}]
)
sys.modules["_other"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["_other"])
loader = importlib.import_module("_other.algorithm.loading.loader")
print(loader.load(loader.EntryPoint(Path({str(folder)!r}), "main.py")).start(None, None))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=True
    )
    assert done.stdout == "mine\n"


# Functions of the user's own script


def test_functions_are_taken_as_they_are() -> None:
    calls: list[Any] = []
    algorithm = from_functions(
        lambda args: ["start", args], initialize=calls.append, stop=calls.clear
    )
    assert isinstance(algorithm, UserAlgorithm)
    assert algorithm.start("data", "api") == ["start", "data"]
    assert algorithm.initialize is not None
    assert algorithm.stop is not None
    algorithm.initialize("job")
    assert calls == ["job"]
    algorithm.stop("data")
    assert calls == []
    assert algorithm.exit is None
    assert algorithm.folder == algorithm.base == Path.cwd()


def three(a: Any, b: Any, c: Any) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("functions", "text"),
    [
        (
            {"start": None},
            (
                "the argument start is None, not a function;"
                " expected start(args) or start(args, hkubeApi)"
            ),
        ),
        ({"start": "start"}, "the argument start is a str, not a function;"),
        ({"start": three}, "the argument start is start(a, b, c), which needs 3 arguments;"),
        (
            {"start": print, "stop": three},
            "the argument stop is stop(a, b, c); expected stop() or stop(args)",
        ),
        ({"start": print, "exit": 5}, "the argument exit is an int, not a function"),
        (
            {"start": print, "initialize": {}},
            "the argument initialize is a dict, not a function",
        ),
    ],
)
def test_unusable_functions_are_refused(functions: dict[str, Any], text: str) -> None:
    build: Callable[..., UserAlgorithm] = from_functions
    with pytest.raises(LoadError) as caught:
        build(**functions)
    assert str(caught.value).startswith(text)
