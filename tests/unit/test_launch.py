"""The command `hkube-wrapper` without arguments."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from hkube_python_wrapper._launch import wants_help
from tests.paths import ROOT

BAD_CONFIGURATION = 78  # shows that it tried to serve


@pytest.mark.parametrize(
    ("arguments", "is_terminal", "environ", "expected"),
    [
        ([], True, {"PATH": "/bin"}, True),
        ([], False, {"PATH": "/bin"}, False),
        (["run"], True, {}, False),
        ([], True, {"WORKER_SOCKET_URL": "ws://x"}, False),
        ([], True, {"ALGORITHM_PATH": "alg"}, False),
        ([], True, {"HKUBE_HEALTH_SOCKET": "x"}, False),
    ],
)
def test_help_is_for_a_person_at_a_terminal(
    arguments: list[str], is_terminal: bool, environ: dict[str, str], expected: bool
) -> None:
    assert wants_help(arguments, is_terminal, environ) is expected


def launch(**settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command at a terminal."""
    ours, theirs = pty.openpty()
    try:
        return subprocess.run(
            [sys.executable, "-m", "hkube_python_wrapper"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings},
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)


def test_person_gets_the_help() -> None:
    done = launch()
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: hkube-wrapper" in done.stdout


def test_configured_environment_is_served() -> None:
    done = launch(WORKER_SOCKET_PORT="none")
    assert done.returncode == BAD_CONFIGURATION
    assert "WORKER_SOCKET_PORT is 'none'" in done.stderr
