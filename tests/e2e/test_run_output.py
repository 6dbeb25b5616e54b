"""Where results go: a file, a pipe, a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.harness.terminal import LIMIT, TerminalRun

WRAPPER = (sys.executable, "-m", "wrapper")
PNG = b"\x89PNG\x00"
ALGORITHM = """\
def start(args):
    what = args["input"][0]
    if what == "long":
        return list(range(300_000))
    if what == "fail":
        raise ValueError
    return b"\\x89PNG\\x00" if what == "bytes" else {"png": b"\\x89PNG\\x00"}
"""
PIPELINE = {
    "name": "p",
    "nodes": [{"nodeName": "a", "algorithmName": "main", "input": ["@flowInput.what"]}],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "main.py").write_text(ALGORITHM)
    (tmp_path / "p.json").write_text(json.dumps(PIPELINE))
    monkeypatch.setenv("WORKER_ALGORITHM_ENCODING", "msgpack")
    return tmp_path


def run(
    folder: Path, what: str, *more: str, command: str = "run"
) -> subprocess.CompletedProcess[str]:
    if command == "run":
        arguments = ["run", "main.py", "--input", f'["{what}"]', *more]
    else:
        flow = json.dumps({"what": what})
        arguments = ["pipeline", "run", "p.json", "--algorithms", ".", "--flow-input", flow, *more]
    return subprocess.run(
        [*WRAPPER, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


def test_bytes_are_marked_in_printed_json(folder: Path) -> None:
    marked = {"png": {"$base64": "iVBORwA="}}
    assert json.loads(run(folder, "dict").stdout) == marked
    assert json.loads(run(folder, "dict", "--json").stdout)["result"] == marked
    assert json.loads(run(folder, "dict", command="pipeline").stdout)[0]["result"] == marked


@pytest.mark.parametrize("more", [[], ["--in-process"], ["--json"]])
def test_output_keeps_bytes_as_they_are(folder: Path, more: list[str]) -> None:
    done = run(folder, "bytes", "--output", "a.png", *more)
    assert (done.returncode, (folder / "a.png").read_bytes()) == (0, PNG)
    assert bool(done.stdout) == ("--json" in more)
    assert f"the result is in {folder / 'a.png'} (5 bytes)" in done.stderr


@pytest.mark.parametrize("command", ["run", "pipeline"])
def test_output_gets_anything_else_as_json(folder: Path, command: str) -> None:
    done = run(folder, "long", "-o", "out.json", command=command)
    assert (done.returncode, done.stdout) == (0, "")
    written = json.loads((folder / "out.json").read_text())
    assert written == list(range(300_000)) or written[0]["result"] == list(range(300_000))


@pytest.mark.parametrize("command", ["run", "pipeline"])
def test_failed_task_leaves_the_file_alone(folder: Path, command: str) -> None:
    (folder / "out").write_text("earlier")
    assert run(folder, "fail", "-o", "out", command=command).returncode == 1
    assert (folder / "out").read_text() == "earlier"


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (["-o", "nowhere/out"], "the folder nowhere does not exist"),
        (["-o", "out", "--repeat", "2"], "--output takes the result of one task"),
    ],
)
def test_output_that_cannot_be_written_is_reported_before_the_run(
    folder: Path, more: list[str], text: str
) -> None:
    done = run(folder, "dict", *more)
    assert done.returncode == 2
    assert text in done.stderr
    assert "[local]" not in done.stderr


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", ["run", "pipeline"])
def test_long_result_is_cut_on_a_terminal_only(folder: Path, columns: int, command: str) -> None:
    arguments = (
        ["run", "main.py", "--input", '["long"]']
        if command == "run"
        else ["pipeline", "run", "p.json", "--algorithms", ".", "--flow-input", '{"what": "long"}']
    )
    with TerminalRun([*WRAPPER, *arguments], folder, columns) as terminal:
        assert terminal.wait() == 0
    assert "--output FILE keeps all of it" in terminal.output
    assert len(terminal.output) < 50_000
    piped = json.loads(run(folder, "long", command=command).stdout)
    assert len(piped if command == "run" else piped[0]["result"]) == 300_000
