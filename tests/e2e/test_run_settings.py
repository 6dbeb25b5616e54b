"""What the command line and pyproject.toml set for a run."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness.terminal import LIMIT, TerminalRun
from tests.paths import ROOT

ALGORITHM = """\
import os

def start(args, api):
    print("at work")
    api.progress(50)
    if args["input"] == ["fail"]:
        raise ValueError("as asked")
    if args["input"] == ["call"]:
        return api.start_algorithm("main", [])
    return os.environ.get("LEVEL")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(ALGORITHM)
    nodes = [{"nodeName": "a", "algorithmName": "main", "input": ["@flowInput.what"]}]
    pipeline = {"name": "p", "nodes": nodes, "flowInput": {"what": "call"}}
    (tmp_path / "p.json").write_text(json.dumps(pipeline))
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hkube_wrapper", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


PIPELINE = ["pipeline", "run", "p.json", "--algorithms", "."]


@pytest.mark.parametrize("more", [[], ["--in-process"]])
def test_quiet_run_shows_the_algorithms_lines_alone(folder: Path, more: list[str]) -> None:
    done = run(folder, "run", "-q", *more)
    assert (done.returncode, done.stdout, done.stderr) == (0, "null\n", "at work\n")


def test_quiet_pipeline_shows_the_algorithms_lines_alone(folder: Path) -> None:
    done = run(folder, *PIPELINE, "--quiet")
    assert (done.returncode, json.loads(done.stdout)[0]["result"]) == (0, None)
    assert {line.partition("] ")[2] for line in done.stderr.splitlines()} == {"at work"}


@pytest.mark.parametrize("command", [["run", "--input", '["fail"]'], [*PIPELINE, "--flow-input"]])
def test_quiet_run_shows_errors(folder: Path, command: list[str]) -> None:
    more = ['{"what": "fail"}'] if "pipeline" in command else []
    done = run(folder, *command, *more, "-q")
    assert done.returncode == 1
    assert "ValueError: as asked" in done.stderr


def test_quiet_run_has_no_bar_on_a_terminal(folder: Path) -> None:
    command = [sys.executable, "-m", "hkube_python_wrapper", "run", "-q"]
    with TerminalRun(command, folder) as terminal:
        assert terminal.wait() == 0
    assert terminal.lines == ["at work", "null"]


@pytest.mark.parametrize("more", [[], ["--in-process"]])
def test_variables_of_the_command_line_reach_the_algorithm(folder: Path, more: list[str]) -> None:
    (folder / "algorithm.yml").write_text(
        "name: main\ncode: {path: ., entryPoint: main.py}\nalgorithmEnv: {LEVEL: low}\n"
    )
    assert run(folder, "run", *more).stdout == '"low"\n'
    assert run(folder, "run", *more, "-e", "LEVEL=a=b").stdout == '"a=b"\n'


def test_variables_of_the_command_line_reach_the_algorithms_of_a_pipeline(folder: Path) -> None:
    done = run(folder, *PIPELINE, "--env", "LEVEL=high")
    assert json.loads(done.stdout)[0]["result"] == "high"  # of the algorithm that it calls


@pytest.mark.parametrize("command", [["run"], PIPELINE])
@pytest.mark.parametrize("given", ["LEVEL", "=1", ""])
def test_variable_without_a_value_is_wrong_usage(
    folder: Path, command: list[str], given: str
) -> None:
    done = run(folder, *command, f"--env={given}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "write KEY=VALUE" in done.stderr


def test_project_sets_options_and_the_command_line_overrides_them(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.hkube.run]\nquiet = true\nenv = ["LEVEL=1"]\n')
    done = run(folder, "run")
    assert (done.stdout, done.stderr) == ('"1"\n', "at work\n")
    assert run(folder, "run", "-e", "LEVEL=2").stdout == '"2"\n'
    (folder / "pyproject.toml").write_text("[tool.hkube.run]\nqiet = true\n")
    wrong = run(folder, "run")
    assert wrong.returncode == 2
    assert "there is no option 'qiet': did you mean 'quiet'?" in wrong.stderr
    assert run(folder, "run", "--help").returncode == 0


@pytest.fixture
def used_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_port_in_use_is_reported_once(folder: Path, used_port: int) -> None:
    done = run(folder, "run", "--port", str(used_port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: another program uses port {used_port} of 127.0.0.1: choose another one with "
        "--port (--port 0 takes a free one)\n"
    )


def test_wrong_usage_is_json_under_json(folder: Path) -> None:
    done = run(folder, "run", "--no-such-option", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "UsageError"
