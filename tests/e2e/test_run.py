"""`hkube-wrapper run`, as a user has it: output, exit codes, Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

LIMIT = 60.0
ALGORITHM = """\
import ctypes, os, time

def start(args, hkubeApi):
    what = args["input"][0]
    print("working on", what, flush=True)
    if what == "raise":
        raise KeyError("missing")
    if what == "crash":
        ctypes.string_at(0)
    if what == "leave":
        os._exit(0)
    if what == "odd":
        return [float("nan"), b"bytes", 1.5]
    if what == "call":
        return hkubeApi.start_algorithm("other", [1])
    while what == "loop" and not hkubeApi.stop_requested:
        time.sleep(0.01)
    while what == "stick":
        try:
            time.sleep(0.01)
        except BaseException:
            pass
    return what
"""


@pytest.fixture
def algorithm(tmp_path: Path) -> Path:
    path = tmp_path / "algorithm.py"
    path.write_text(ALGORITHM)
    return path


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wrapper", "run", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)


@contextmanager
def running(algorithm: Path, what: str) -> Iterator[subprocess.Popen[str]]:
    """The command at work on a task; no process is left behind it."""
    command = [sys.executable, "-m", "wrapper", "run", str(algorithm), "--input", f'["{what}"]']
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while f"working on {what}" not in (line := process.stderr.readline()):
            assert line, "it ended before the task began"
        below = psutil.Process(process.pid).children(recursive=True)
        try:
            yield process
        finally:
            process.kill()
    _, alive = psutil.wait_procs(below, timeout=5)
    assert not alive, alive


def test_the_result_alone_is_on_stdout(algorithm: Path) -> None:
    done = run(algorithm, "--input", '["ä"]')
    assert (done.returncode, done.stdout) == (0, '"ä"\n')
    assert "working on ä\n" in done.stderr
    assert "[local] done after" in done.stderr


def test_a_folder_is_run_by_its_main(algorithm: Path) -> None:
    algorithm.rename(algorithm.with_name("main.py"))
    assert run(algorithm.parent, "--input", "[5]").stdout == "5\n"


def test_a_module_of_the_users_may_have_the_wrappers_name(algorithm: Path) -> None:
    (algorithm.parent / "wrapper.py").write_text("answer = 42\n")
    algorithm.write_text("import wrapper\n\ndef start(args):\n    return wrapper.answer\n")
    assert run(algorithm).stdout == "42\n"


def test_each_input_is_a_task_until_one_fails(algorithm: Path) -> None:
    done = run(algorithm, *(f'--input=["{what}"]' for what in ("a", "raise", "b")))
    assert (done.returncode, done.stdout) == (1, '"a"\n')


def test_an_algorithm_that_fails(algorithm: Path) -> None:
    done = run(algorithm, "--input", '["raise"]')
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("KeyError: 'missing' (algorithm.py:7, in start)") == 1
    assert "[local] failed after" in done.stderr


def test_a_module_that_cannot_be_loaded(algorithm: Path) -> None:
    algorithm.write_text("def strat(args): pass\n")
    done = run(algorithm)
    assert done.returncode == 1
    assert "did you mean 'start'?" in done.stderr


@pytest.mark.parametrize(("what", "code"), [("crash", 139), ("leave", 1)])
def test_an_algorithm_that_crashes(algorithm: Path, what: str, code: int) -> None:
    done = run(algorithm, "--input", f'["{what}"]')
    assert (done.returncode, done.stdout) == (code, "")
    assert f"[local] the process ended with exit code {code}\n" in done.stderr


def test_settings_that_are_bad(algorithm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_ALGORITHM_ENCODING", "xml")
    done = run(algorithm, "--input", '["a"]')
    assert done.returncode == 78
    assert "WORKER_ALGORITHM_ENCODING" in done.stderr


@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
def test_binary_encodings(algorithm: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setenv("WORKER_ALGORITHM_ENCODING", encoding)
    done = run(algorithm, "--input", '["a"]')
    assert (done.returncode, done.stdout) == (0, '"a"\n')


def test_what_json_has_not_is_shown_all_the_same(
    algorithm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKER_ALGORITHM_ENCODING", "msgpack")
    done = run(algorithm, "--input", '["odd"]')
    assert (done.returncode, json.loads(done.stdout)) == (0, [None, "b'bytes'", 1.5])


def test_calls_are_answered_from_a_file(algorithm: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"algorithms": {"other": {"result": [7]}}}))
    done = run(algorithm, "--input", '["call"]', "--answers", answers)
    assert (done.returncode, done.stdout) == (0, "[7]\n")


def test_a_call_with_no_answer_fails_and_is_named(algorithm: Path) -> None:
    done = run(algorithm, "--input", '["call"]')
    assert done.returncode == 1
    assert "there is no answer for algorithm 'other'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Missing argument 'PATH'"),
        (["nowhere.py"], "nowhere.py does not exist"),
        (["{algorithm}", "--input", "{}"], "must be a JSON array"),
        (["{algorithm}", "--input", "{'a'}"], "not valid JSON"),
        (["{algorithm}", "--answers", "none.json"], "cannot read none.json"),
        (["{algorithm}", "--loud"], "No such option: --loud"),
    ],
)
def test_wrong_usage(algorithm: Path, arguments: list[str], text: str) -> None:
    done = run(*(argument.replace("{algorithm}", str(algorithm)) for argument in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr


def test_ctrl_c_stops_the_task(algorithm: Path) -> None:
    with running(algorithm, "loop") as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) == 130
        assert process.stderr is not None
        assert "[local] stopped after" in process.stderr.read()


def test_a_second_ctrl_c_ends_at_once(algorithm: Path) -> None:
    with running(algorithm, "stick") as process:
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "stopping; Ctrl-C again ends at once" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(3) == 130


def test_sigterm_leaves_nothing_behind(algorithm: Path) -> None:
    with running(algorithm, "stick") as process:
        process.terminate()
        assert process.wait(LIMIT) == 143


def test_help_names_every_option() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(option in done.stdout for option in ("PATH", "--input", "--answers"))
    assert "Exit codes: 0 done" in done.stdout
