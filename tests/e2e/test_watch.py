"""`hkube-wrapper run --watch` beyond the saves of code, and Ctrl-C while code is loading."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

LIMIT = 60.0


def await_line(stream: IO[str], text: str) -> str:
    """Read lines until one holds a text; return the lines."""
    lines = ""
    while text not in (line := stream.readline()):
        assert line, f"it ended before {text!r}:\n{lines}"
        lines += line
    return lines + line


def test_change_of_another_file_runs_again_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "from pathlib import Path\n"
        "def start(args):\n    return Path(__file__).with_name('data.csv').read_text()\n"
    )
    (tmp_path / "data.csv").write_text("old")
    command = [sys.executable, "-m", "wrapper", "run", str(tmp_path), "--watch"]
    with subprocess.Popen(
        [*command, "--watch-also", "*.csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            assert process.stdout.readline() == '"old"\n'
            await_line(process.stderr, "waiting for the next save")
            (tmp_path / "data.csv").write_text("new")
            await_line(process.stderr, "data.csv: running again")
            assert process.stdout.readline() == '"new"\n'
        finally:
            process.kill()


def test_watch_also_needs_watch(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wrapper", "run", str(tmp_path), "--watch-also", "*.csv"],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "error: --watch-also needs --watch\n")


@pytest.mark.parametrize(
    ("number", "code", "name"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")]
)
def test_signal_while_loading_in_process_is_named(
    tmp_path: Path, number: signal.Signals, code: int, name: str
) -> None:
    (tmp_path / "main.py").write_text(
        "import pathlib\n"
        "print('loading', flush=True)\n"
        "while not pathlib.Path('go').exists(): pass\n"
        "def start(args):\n    while True: pass\n"  # loading may end before the signal counts
    )
    command = [sys.executable, "-m", "wrapper", "run", "main.py", "--in-process"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            await_line(process.stderr, "loading")
            process.send_signal(number)
            (tmp_path / "go").touch()
            stdout, stderr = process.communicate(timeout=LIMIT)
        finally:
            process.kill()
    assert (process.returncode, stdout) == (code, "")
    assert f": {name}\n" in stderr
    assert "no task running" not in stderr
    assert "connection was lost" not in stderr
