"""The algorithm's output: on the container's streams and in /hkube-logs/stdout.log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run, Serve

LINES = """\
import os, sys

def start(args):
    for number in range(20_000):
        os.write(1 + number % 2, b"line %d\\n" % number)
    print("the last", end="", flush=True)
    {end}
"""
EXPECTED = [f"line {number}" for number in range(20_000)]


def shown(kept: str) -> str:
    """Return the log file's text with the lines of reports, which it holds as JSON."""
    return "".join(
        json.loads(line)["log"] + "\n" if line.startswith('{"log": ') else line
        for line in kept.splitlines(keepends=True)
    )


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("line ")]


@pytest.mark.parametrize(
    ("end", "code"), [("os._exit(7)", 7), ("os.kill(os.getpid(), 11)", 139), ("pass", 0)]
)
def test_every_line_arrives_in_order(serve: Serve, logs: Path, end: str, code: int) -> None:
    session = serve({"main.py": LINES.format(end=end)}, options=["--volume", f"{logs}:/hkube-logs"])
    session.worker.begin()
    if code == 0:
        session.worker.finish()
        session.worker.send("exit", {})
    assert session.container.wait() == code

    kept = (logs / "stdout.log").read_text()
    assert lines_of(kept) == EXPECTED
    assert "the last" in kept
    assert "connected to the worker" in kept, "the wrapper's own lines too"
    # Words, because a report begins a new line in the file, and "the last" has no end of line.
    in_file, on_stdout = (
        text.replace("the last", "the last ").split()
        for text in (shown(kept), session.container.stdout)
    )
    assert on_stdout == in_file, "and all of it where kubectl logs finds it"


def test_full_volume_stops_nothing(serve: Serve) -> None:
    session = serve(
        {"main.py": LINES.format(end="return 1")},
        options=["--tmpfs", "/hkube-logs:rw,size=64k,mode=0777"],
    )
    assert session.worker.run() == 1
    kept = session.container.execute("cat", "/hkube-logs/stdout.log").stdout
    assert 0 < len(kept) <= 64 * 1024
    assert session.worker.run() == 1, "and the next task"
    session.worker.send("exit", {"exitCode": 7})

    assert session.container.wait() == 7
    shown = session.container.stdout
    assert lines_of(shown.replace("the last", "the last\n")) == EXPECTED * 2
    assert shown.count("cannot write to the log file (No space left on device)") == 1


def test_log_file_at_its_limit_stops_nothing(serve: Serve, logs: Path) -> None:
    code = "def start(args):\n    for n in range(20_000): print(f'{n:99}')\n    return 1\n"
    session = serve(
        {"main.py": code},
        options=["--volume", f"{logs}:/hkube-logs"],
        env={"HKUBE_LOG_FILE_LIMIT": "1"},
    )
    assert session.worker.run() == 1
    session.worker.send("exit", {})

    assert session.container.wait() == 0
    shown = [int(line) for line in session.container.stdout.splitlines() if line[:20].isspace()]
    assert shown == list(range(20_000))
    kept = (logs / "stdout.log").read_text()
    assert 1_000_000 < len(kept.encode()) < 1_000_200
    assert kept.splitlines()[-1].startswith("[end of file: HKUBE_LOG_FILE_LIMIT, 1 MB;")


def test_vanished_volume_stops_nothing(serve: Serve, logs: Path) -> None:
    inner = logs / "inner"
    inner.mkdir()
    inner.chmod(0o777)
    session = serve(
        {"main.py": LINES.format(end="return 1")}, options=["--volume", f"{inner}:/hkube-logs"]
    )
    (inner / "stdout.log").unlink()
    inner.rmdir()
    assert session.worker.run() == 1
    session.worker.send("exit", {"exitCode": 7})

    assert session.container.wait() == 7
    assert lines_of(session.container.stdout) == EXPECTED
    assert "cannot write to the log file" in session.container.stdout


def test_streams_stay_separate_without_a_writable_volume(serve: Serve) -> None:
    session = serve("prints_to_both", options=["--read-only"])
    session.worker.run()
    session.worker.send("exit", {})

    assert session.container.wait() == 0
    assert "connected to the worker" in session.container.stderr
    assert session.container.stdout
    assert "connected to the worker" not in session.container.stdout


def test_other_programs_do_not_write_the_log(run: Run, logs: Path) -> None:
    container = run("echo", "hello", options=["--volume", f"{logs}:/hkube-logs"])

    assert container.wait() == 0
    assert container.stdout == "hello\n"
    assert list(logs.iterdir()) == []
