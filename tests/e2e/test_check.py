"""`hkube-wrapper check` as a user or a CI job runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import psutil
import pytest

LIMIT = 60.0
ROOT = Path(__file__).parents[2]
ALGORITHMS = ROOT / "tests" / "algorithms"


def check(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wrapper", "check", *map(str, arguments)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_good_algorithm() -> None:
    done = check(ALGORITHMS / "async_functions.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert "async def start(args, api) (async_functions.py:" in done.stdout
    assert "called as start(args, hkubeApi)\n" in done.stdout
    assert done.stdout.endswith("\nfine\n")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("near_miss.py", "it has 'strat': did you mean 'start'?"),
        ("no_start.py", "no_start.py has no function 'start'"),
        ("raises_at_import.py", "ZeroDivisionError: division by zero (raises_at_import.py:5"),
        ("exits_at_import.py", "ends the process when it is imported: sys.exit(3)"),
        ("crashes_at_import.py", "ended by itself with status 9: os._exit()"),
        ("start_is_no_function.py", "not a function; expected start(args)"),
        ("missing_dependency", "add the line package-that-is-nowhere"),
    ],
)
def test_bad_algorithm(name: str, text: str) -> None:
    done = check(ALGORITHMS / name)
    assert (done.returncode, done.stderr) == (1, "")
    assert text in done.stdout
    assert done.stdout.endswith(" wrong\n")
    assert "Traceback" not in done.stdout.replace("      Traceback", "")


def test_endless_import_is_reported(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("while True: pass\n")
    done = check(tmp_path, "--timeout", "2")
    assert done.returncode == 1
    assert "main.py is still being imported after 2 s (main.py:1, in <module>)" in done.stdout


def test_json_is_all_of_stdout(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print('hello')\nimport numpy\ndef start(a): pass\n")
    done = check(tmp_path, "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["ok"]) == (1, False)
    assert done.stderr == "hello\n"
    assert [each["module"] for each in document["packages"]] == ["numpy"]
    (problem,) = (each["text"] for each in document["findings"] if each["status"] == "wrong")
    assert "main.py:2 imports numpy, but there is no requirements.txt" in problem


def test_archive(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "code.tar.gz", "w:gz") as archive:
        archive.add(ALGORITHMS / "echo.py", "main.py")
    done = check("code.tar.gz", cwd=tmp_path)
    assert (done.returncode, done.stdout.startswith("code in ")) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], ". has no main.py"),
        (["nowhere"], "error: nowhere does not exist\n"),
        (["notes.txt"], "error: notes.txt is neither a folder"),
        (["bad.yml"], "error: bad.yml is not valid YAML"),
        (["."], "error: . has no main.py"),
        (["notes.txt", "--timeout", "0"], "Invalid value for '--timeout'"),
    ],
)
def test_not_an_algorithm(tmp_path: Path, arguments: list[str], text: str) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "bad.yml").write_text("a: [")
    done = check(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import sys, time\nprint('here', file=sys.stderr, flush=True)\ntime.sleep(600)\n"
    )
    command = [sys.executable, "-m", "wrapper", "check", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "here\n"
        below = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) == 130
    _, alive = psutil.wait_procs(below, timeout=5)
    assert below
    assert not alive


def test_help_names_every_option() -> None:
    done = check("--help")
    assert done.returncode == 0
    assert all(option in done.stdout for option in ("PATH", "--timeout", "--json"))
    assert "Exit codes: 0 fine" in done.stdout
