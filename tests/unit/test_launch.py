"""The command `hkube-wrapper` without arguments, and the word `serve`."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.paths import ROOT

BAD_CONFIGURATION = 78  # shows that it tried to serve
USAGE = 2
BAD_PORT = {"WORKER_SOCKET_PORT": "none"}


def launch(
    *command: str,
    settings: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **(settings or {})},
        cwd=folder,
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("settings", [{}, {"WORKER_SOCKET_PORT": "none"}, {"ALGORITHM_PATH": "."}])
def test_bare_command_shows_help_and_loads_nothing(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    (tmp_path / "main.py").write_text("open('loaded', 'w')\ndef start(args): ...\n")
    done = launch("hkube_python_wrapper", folder=tmp_path, settings=settings)
    assert (done.returncode, done.stderr) == (USAGE, "")
    assert "Usage: hkube-wrapper" in done.stdout
    assert not (tmp_path / "loaded").exists()


def test_bare_command_shows_help_at_a_terminal() -> None:
    ours, theirs = pty.openpty()
    try:
        done = launch("hkube_python_wrapper", stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == USAGE
    assert "Usage: hkube-wrapper" in done.stdout


@pytest.mark.parametrize(
    "command", [["hkube_python_wrapper", "serve"], ["wrapper", "serve"], ["wrapper"]]
)
def test_serve_and_the_module_serve(command: list[str]) -> None:
    done = launch(*command, settings=BAD_PORT)
    assert done.returncode == BAD_CONFIGURATION
    assert "WORKER_SOCKET_PORT is 'none'" in done.stderr


def test_serve_takes_no_arguments() -> None:
    done = launch("hkube_python_wrapper", "serve", "main.py", settings=BAD_PORT)
    assert done.returncode == USAGE
    assert "unexpected extra argument" in done.stderr


def test_shell_completion_never_serves() -> None:
    asked = {"COMP_WORDS": "hkube-wrapper ch", "COMP_CWORD": "1", **BAD_PORT}
    settings = {"_HKUBE_WRAPPER_COMPLETE": "complete_bash", **asked}
    done = launch("hkube_python_wrapper", settings=settings)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["check"], "")
