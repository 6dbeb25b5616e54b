"""Where the wrapper's own imports are found."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hkube_python_wrapper._import_path import NEEDED_LATER, restored_path, users_last
from tests.paths import ROOT

IN_THE_ALGORITHM_PROCESS = (
    *("algorithm", "storage", "protocol", "ipc", "config", "text", "log.py", "errors.py"),
)
# Libraries import these within functions: to show a traceback, to start a thread or a loop.
NEEDED_BY_LIBRARIES = {
    *("_colorize", "concurrent", "dis", "keyword", "linecache", "opcode", "random", "selectors"),
    *("sysconfig", "textwrap", "token", "tokenize", "traceback", "unicodedata", "warnings"),
    "weakref",
}
LIBRARY = os.path.dirname(os.__file__)
PACKAGES = os.path.join(LIBRARY, "site-packages")


def imports() -> Iterator[str]:
    """Yield the top-level name of each module that these parts import from elsewhere."""
    for part in IN_THE_ALGORITHM_PROCESS:
        path = ROOT / "wrapper" / part
        for file in [path] if path.suffix else path.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    yield str(node.module).partition(".")[0]


def test_what_is_needed_later_is_what_is_imported() -> None:
    always_there = {*sys.builtin_module_names, "os", "stat", "hkube_python_wrapper"}
    only_if_loaded = {"numpy"}  # the user's, not the wrapper's

    needed = {*imports(), *NEEDED_BY_LIBRARIES} - always_there - only_if_loaded
    assert needed == NEEDED_LATER, "correct the list in hkube_python_wrapper/_import_path.py"


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    users = ["/usr/src/app", "", "/home/me/lib"]
    found = [*users[:2], LIBRARY, f"{LIBRARY}/lib-dynload", users[2], PACKAGES]
    monkeypatch.setattr(sys, "path", list(found))
    return found


def test_library_is_first_and_the_users_folders_are_last(path: list[str]) -> None:
    users_last()

    assert sys.path == [*path[2:4], PACKAGES, *path[:2], path[4]]


def test_path_is_restored(path: list[str]) -> None:
    with restored_path() as before:
        assert sys.path[0] == LIBRARY

    assert sys.path == before == path


@pytest.mark.parametrize("option", ["-I", "-s"])
def test_isolated_python_still_finds_the_users_packages(tmp_path: Path, option: str) -> None:
    version = "python{}.{}".format(*sys.version_info)
    packages = tmp_path / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    code = (
        f"import sys; sys.path.append({str(ROOT)!r})\n"
        "from hkube_python_wrapper._import_path import add_what_isolation_leaves_out as add\n"
        "sys.prefix = sys.base_prefix  # not a virtual environment\n"
        "add(); print(*sys.path, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, option, "-c", code],
        env={"PYTHONUSERBASE": str(tmp_path), "PYTHONPATH": "/elsewhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (str(packages) in done.stdout) is (option == "-I")
    assert "/elsewhere" in done.stdout
