"""Temporary folders: none is left behind, also not by commands that were killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "hkube_python_wrapper"]
LIMIT = 60.0
WAITS = "import time\n\ndef start(args):\n    print('waiting', flush=True)\n    time.sleep(600)\n"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def hkube(scratch: Path, *arguments: str) -> None:
    environ = {**os.environ, "TMPDIR": str(scratch)}
    subprocess.run(
        [*COMMAND, *arguments], env=environ, check=True, capture_output=True, timeout=LIMIT
    )


def left_in(scratch: Path) -> list[str]:
    """What is in a folder, but for TensorBoard files, which stay for their reader."""
    return [name for name in os.listdir(scratch) if not name.startswith("hkube-metrics-")]


@pytest.mark.parametrize(
    "options", [[], ["--in-process"], ["--storage", "fs"], ["--storage", "fs", "--in-process"]]
)
def test_commands_leave_no_folder(tmp_path: Path, scratch: Path, options: list[str]) -> None:
    (tmp_path / "main.py").write_text("def start(args):\n    return 1\n")
    hkube(scratch, "run", str(tmp_path / "main.py"), *options)
    hkube(scratch, "check", str(tmp_path / "main.py"))
    assert os.listdir(scratch) == []


@pytest.mark.parametrize("options", [[], ["--storage", "fs"]])
def test_next_command_removes_what_a_killed_one_left(
    tmp_path: Path, scratch: Path, options: list[str]
) -> None:
    (tmp_path / "waits.py").write_text(WAITS)
    (tmp_path / "main.py").write_text("def start(args):\n    return 1\n")
    process = subprocess.Popen(
        [*COMMAND, "run", str(tmp_path / "waits.py"), *options],
        env={**os.environ, "TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    while "waiting" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait(LIMIT)
    process.stderr.close()
    assert left_in(scratch) != []
    hkube(scratch, "run", str(tmp_path / "main.py"))
    assert left_in(scratch) == []
