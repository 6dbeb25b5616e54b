"""Runs the commands in an example's README and compares their output with the README."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

ROOT = Path(__file__).parents[2]
LIMIT = 60.0
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = "(pipeline )?run"
NO_ASYNCIO = "-p no:asyncio"  # a plugin of these tests, which prints a warning if it is not set up
CHANGING = re.compile(
    r"\d+\.\d+ ?m?s\b"  # durations
    r"|\d{4}-\d\d-\d\dT[\d:.]+Z"  # timestamps
    r"|(?<=job=local:)\w+|(?<=task=)\w+"
    r"|(?<=Python )\d+\.\d+\.\S+"
    r"|\d[\d.]* (?:bytes|kB|MB)"
)


@dataclass(frozen=True)
class Session:
    """A command in a README, the output it shows, and the actual output."""

    command: str
    shown: list[str]
    stdout: str
    stderr: str
    code: int

    @property
    def results(self) -> list[Any]:
        """The JSON values on stdout, one for each task."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def check(self) -> None:
        """Fail unless the README shows the actual output; times and ids may differ.

        The order of lines between stdout and stderr, and between the algorithm and the worker, is
        not compared.
        """
        actual = (self.stderr + self.stdout).splitlines()
        assert sorted(_masked(self.shown)) == sorted(_masked(actual)), self.stderr
        results = _masked(self.stdout.splitlines())
        assert [line for line in _masked(self.shown) if line in results] == results


class Run(Protocol):
    """Runs the commands of a README, given by its path relative to the root, in a folder."""

    def __call__(self, path: str, cwd: Path = ROOT, command: str = COMMANDS) -> list[Session]: ...


@pytest.fixture
def run_readme() -> Run:
    """Run the `hkube-wrapper run` and `pipeline run` commands of a README, or other ones."""

    def run(path: str, cwd: Path = ROOT, command: str = COMMANDS) -> list[Session]:
        blocks = CONSOLE.findall((ROOT / path).read_text(encoding="utf-8"))
        shown = re.compile(rf"\$ hkube-wrapper {command} ")
        sessions = [run_block(block, cwd) for block in blocks if shown.match(block)]
        assert sessions, f"{path} shows no command"
        return sessions

    return run


def run_block(block: str, cwd: Path) -> Session:
    """Run the command of a console block, its first line."""
    first, *shown = block.splitlines()
    assert first.startswith("$ "), f"a console block begins with '$ ': {first}"
    command = first.removeprefix("$ ")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    completed = subprocess.run(
        ["bash", "-c", command],
        cwd=cwd,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": NO_ASYNCIO},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return Session(command, shown, completed.stdout, completed.stderr, completed.returncode)


def _masked(lines: list[str]) -> list[str]:
    # Python 3.10 does not underline the failing expression.
    return [CHANGING.sub("#", line) for line in lines if not re.fullmatch(r"[ |]+\^+", line)]
