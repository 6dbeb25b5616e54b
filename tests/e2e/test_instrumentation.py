"""Tools that start with Python, such as opentelemetry-instrument, reach the user's code alone.

The tool here is a `sitecustomize.py` in PYTHONPATH that notes the command line of its process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

from .conftest import Serve

LIMIT = 60.0
TOOL = """\
import json, os, sys

with open({log!r}, "a") as log:
    print(json.dumps(sys.orig_argv), file=log)
# As OpenTelemetry does, so that child processes are left alone.
folders = os.environ["PYTHONPATH"].split(os.pathsep)
os.environ["PYTHONPATH"] = os.pathsep.join(each for each in folders if each != {folder!r})
"""
MAIN = """\
import sys

def start(args):
    return "sitecustomize" in sys.modules
"""

# Coverage starts with Python too.
pytestmark = pytest.mark.usefixtures("without_coverage")


class Tool:
    """The tool's folder, and the processes that it was loaded in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tool"
        self.folder.mkdir()
        self._log = folder / "log"
        text = TOOL.format(log=str(self._log), folder=str(self.folder))
        (self.folder / "sitecustomize.py").write_text(text)

    @property
    def python_path(self) -> str:
        return os.pathsep.join([str(self.folder), str(ROOT)])

    def commands(self) -> list[list[str]]:
        """The command line of each process that loaded it."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    return Tool(tmp_path)


def is_algorithm(command: list[str]) -> bool:
    return any(argument.endswith("boot.py") for argument in command)


@pytest.mark.parametrize("arguments", [["-m", "wrapper"], ["app.py"]])
def test_serving(serve: Serve, tool: Tool, arguments: list[str]) -> None:
    app = "from hkube_python_wrapper import Algorunner\n\nAlgorunner.Run()\n"
    worker, _ = serve(
        {"main.py": MAIN, "app.py": app}, env={"PYTHONPATH": tool.python_path}, arguments=arguments
    )
    assert worker.run(1) is True
    first, algorithm = tool.commands()
    assert first[-len(arguments) :] == arguments  # it ended there: another process took its place
    assert is_algorithm(algorithm)


def test_local_run(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(MAIN)
    done = subprocess.run(
        [sys.executable, "-m", "hkube_python_wrapper", "run", "main.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": tool.python_path},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "true\n"), done.stderr
    first, algorithm = tool.commands()
    assert "run" in first
    assert is_algorithm(algorithm)


def test_in_process_everything_is_in_one_process(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(MAIN)
    done = subprocess.run(
        [sys.executable, "-m", "hkube_python_wrapper", "run", "main.py", "--in-process"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": tool.python_path},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "true\n"), done.stderr
    assert len(tool.commands()) == 1
