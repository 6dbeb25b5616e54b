"""`hkube-wrapper run` as users see it: output, exit codes, Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import pytest

LIMIT = 60.0
ALGORITHM = """\
import ctypes, os, time

def start(args, hkubeApi):
    what = args["input"][0]
    print(f"working on {what}\\n", end="", flush=True)  # one write: others write too
    if what == "raise":
        raise KeyError("missing")
    if what == "crash":
        ctypes.string_at(0)
    if what == "leave":
        os._exit(0)
    if what == "odd":
        return [float("nan"), b"bytes", 1.5]
    if what == "nan":
        return {"x": [1.0, float("nan")]}
    if what == "huge":
        return "x" * 100_000_001
    if what == "set":
        return {"tags": {1, 2}}
    if what == "extra":
        return args["info"]["extraData"]
    if what == "observed":
        with hkubeApi.span("outer", {"n": 1}):
            hkubeApi.progress(50, "half")
        hkubeApi.progress(100)
        return os.environ.get("MODEL")
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


def run(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wrapper", "run", *map(str, arguments)]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=LIMIT, check=False
    )


@contextmanager
def running(algorithm: Path, what: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Start the command and yield it; no process is left behind."""
    arguments = [str(algorithm), "--input", f'["{what}"]', *more]
    command = [sys.executable, "-m", "wrapper", "run", *arguments]
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


def test_only_the_result_is_on_stdout(algorithm: Path) -> None:
    done = run(algorithm, "--input", '["ä"]')
    assert (done.returncode, done.stdout) == (0, '"ä"\n')
    assert "working on ä\n" in done.stderr
    assert "[local] done after" in done.stderr


def test_folder_runs_its_main_py(algorithm: Path) -> None:
    algorithm.rename(algorithm.with_name("main.py"))
    assert run(algorithm.parent, "--input", "[5]").stdout == "5\n"


def test_user_module_named_like_the_wrapper(algorithm: Path) -> None:
    (algorithm.parent / "wrapper.py").write_text("answer = 42\n")
    algorithm.write_text("import wrapper\n\ndef start(args):\n    return wrapper.answer\n")
    assert run(algorithm).stdout == "42\n"


def test_tasks_run_until_one_fails(algorithm: Path) -> None:
    done = run(algorithm, *(f'--input=["{what}"]' for what in ("a", "raise", "b")))
    assert (done.returncode, done.stdout) == (1, '"a"\n')


def test_failing_algorithm(algorithm: Path) -> None:
    done = run(algorithm, "--input", '["raise"]')
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("KeyError: 'missing' (algorithm.py:7, in start)") == 1
    assert "[local] failed after" in done.stderr


def test_module_that_cannot_be_loaded(algorithm: Path) -> None:
    algorithm.write_text("def strat(args): pass\n")
    done = run(algorithm)
    assert done.returncode == 1
    assert "did you mean 'start'?" in done.stderr


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [("crash", 139, "exit code 139 (SIGSEGV)"), ("leave", 1, "exit code 1")],
)
def test_crashing_algorithm(algorithm: Path, what: str, code: int, said: str) -> None:
    done = run(algorithm, "--input", f'["{what}"]')
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.count(f"the process ended with {said}\n") == 1


def test_invalid_settings(algorithm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_ALGORITHM_ENCODING", "xml")
    done = run(algorithm, "--input", '["a"]')
    assert done.returncode == 78
    assert "WORKER_ALGORITHM_ENCODING" in done.stderr


@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
def test_binary_encodings(algorithm: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setenv("WORKER_ALGORITHM_ENCODING", encoding)
    done = run(algorithm, "--input", '["a"]')
    assert (done.returncode, done.stdout) == (0, '"a"\n')


def test_values_that_json_lacks_are_printed(
    algorithm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKER_ALGORITHM_ENCODING", "msgpack")
    done = run(algorithm, "--input", '["odd"]')
    assert (done.returncode, json.loads(done.stdout)) == (0, [None, {"$base64": "Ynl0ZXM="}, 1.5])


def test_calls_are_answered_from_a_file(algorithm: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"algorithms": {"other": {"result": [7]}}}))
    done = run(algorithm, "--input", '["call"]', "--answers", answers)
    assert (done.returncode, done.stdout) == (0, "[7]\n")


def test_calls_are_answered_by_local_algorithms_and_pipelines(
    algorithm: Path, tmp_path: Path
) -> None:
    others, stored = tmp_path / "others", tmp_path / "stored"
    others.mkdir()
    stored.mkdir()
    (others / "other.py").write_text(
        "def start(args):\n    print('other at work')\n    return args['input'][0] + 1\n"
    )
    nodes = [{"nodeName": "one", "algorithmName": "other", "input": ["@flowInput.n"]}]
    (stored / "plus.json").write_text(json.dumps({"name": "plus", "nodes": nodes}))
    algorithm.write_text(
        "def start(args, api):\n"
        "    first = api.start_algorithm('other', [args['input'][0]])\n"
        "    return api.start_stored_subpipeline('plus', {'n': first})[0]['result']\n"
    )
    for mode in ([], ["--in-process"]):
        options: list[str | Path] = [
            "--input",
            "[1]",
            "--algorithms",
            others,
            "--pipelines",
            stored,
            *mode,
        ]
        done = run(algorithm, *options)
        assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
        assert "other at work" in done.stderr


def test_input_with_references(algorithm: Path) -> None:
    flow_input = '{"names": ["a", "b"]}'
    done = run(algorithm, "--input", '["#@flowInput.names"]', "--flow-input", flow_input)
    assert (done.returncode, done.stdout) == (0, '"a"\n"b"\n')


def test_call_without_an_answer_is_named(algorithm: Path) -> None:
    done = run(algorithm, "--input", '["call"]')
    assert done.returncode == 1
    assert "there is no answer for algorithm 'other'" in done.stderr


def test_result_that_would_crash_hkubes_worker_is_reported(algorithm: Path) -> None:
    nan = run(algorithm, "--input", '["nan"]')
    assert (nan.returncode, nan.stdout) == (0, '{"x": [1.0, null]}\n')
    assert "[wrapper] warning: the result holds NaN at result.x[1]" in nan.stderr
    huge = run(algorithm, "--input", '["huge"]')
    assert (huge.returncode, huge.stdout) == (1, "")
    assert "error: the result is too large: 100,000," in huge.stderr
    unsendable = run(algorithm, "--input", '["set"]')
    assert (unsendable.returncode, unsendable.stdout) == (1, "")
    assert "result.tags is a set; make it a list" in unsendable.stderr


def test_input_from_a_file_and_extra_data_from_stdin(algorithm: Path, tmp_path: Path) -> None:
    file = tmp_path / "input.json"
    file.write_text('["extra"]')
    done = run(algorithm, f"--input=@{file}", "--extra-data=-", stdin='{"a": [1]}')
    assert (done.returncode, done.stdout) == (0, '{"a": [1]}\n')


def test_algorithm_yml(algorithm: Path) -> None:
    description = algorithm.with_name("algorithm.yml")
    description.write_text(
        "name: green\nenv: python\nresources: {mem: 64Mi}\n"
        "code: {path: ., entryPoint: algorithm.py}\n"
        "algorithmEnv: {MODEL: small, KEY: {secretKeyRef: {name: a, key: b}}}\n"
    )
    done = run(description, "--input", '["observed"]', "--json")
    shown = json.loads(done.stdout)
    assert (shown["algorithm"], shown["result"]) == ("green", "small")
    assert "[local] warning: algorithmEnv.KEY comes from the cluster (secretKeyRef)" in done.stderr


def test_memory_above_the_description_is_reported(algorithm: Path) -> None:
    for name, mem in (("light", 150), ("heavy", 150)):
        folder = algorithm.with_name("algs") / name
        folder.mkdir(parents=True)
        (folder / "algorithm.yml").write_text(
            f"name: {name}\ncode: {{path: .}}\nresources: {{mem: {mem}Mi}}\n"
        )
        (folder / "main.py").write_text(
            "def start(args, hkubeApi):\n    return hkubeApi.start_algorithm('heavy', [])\n"
            if name == "light"
            else "def start(args):\n    return len(bytearray(b'x') * 300_000_000)\n"
        )
    algs = algorithm.with_name("algs")
    done = run(algs / "heavy")
    assert done.stdout == "300000000\n"
    assert re.search(r"it used 3\d\d MiB of memory, but resources.mem is 150 MiB", done.stderr)
    done = run(algs / "light", "--algorithms", algs)
    assert (done.returncode, done.stdout) == (0, "300000000\n")
    assert "of memory" not in done.stderr, "it is not the called one that is run"


def test_json_object(algorithm: Path) -> None:
    done = run(algorithm, "--input", '["observed"]', "--json")
    shown = json.loads(done.stdout)
    assert (shown["status"], shown["progress"], shown["error"]) == ("done", [50, 100], None)
    assert [span["name"] for span in shown["spans"]] == ["outer"]
    failed = run(algorithm, "--input", '["raise"]', "--json")
    shown = json.loads(failed.stdout)
    assert (failed.returncode, shown["status"]) == (1, "failed")
    assert shown["error"]["message"].startswith("KeyError: 'missing'")
    crashed = run(algorithm, "--input", '["crash"]', "--json")
    shown = json.loads(crashed.stdout)
    assert (crashed.returncode, shown["status"], shown["exitCode"]) == (139, "crashed", 139)


def test_repeat(algorithm: Path) -> None:
    done = run(algorithm, "--input", '["a"]', "--repeat", "3")
    assert (done.returncode, done.stdout) == (0, '"a"\n' * 3)
    assert "[local] 3 tasks: " in done.stderr


@pytest.mark.parametrize("what", ["loop", "stick"])
def test_timeout_stops_the_task(algorithm: Path, what: str) -> None:
    done = run(algorithm, "--input", f'["{what}"]', "--timeout", "2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "[local] not finished after 2 s (--timeout): stopping it" in done.stderr
    assert "[local] stopped after" in done.stderr


@pytest.mark.parametrize("more", [[], ["--in-process"]])
def test_timeout_before_the_algorithm_is_ready(algorithm: Path, more: list[str]) -> None:
    done = run(algorithm, "--timeout", "0.001", *more)
    assert (done.returncode, done.stdout) == (1, "")
    assert "[local] stopped after" in done.stderr
    assert "HKube deletes the pod" not in done.stderr


def test_in_process(algorithm: Path) -> None:
    done = run(algorithm, "--input", '["a"]', "--input", '["observed"]', "--in-process")
    assert (done.returncode, done.stdout) == (0, '"a"\nnull\n')
    assert "working on a" in done.stderr
    failed = run(algorithm, "--input", '["raise"]', "--in-process")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "error: KeyError: 'missing' (algorithm.py:7, in start)" in failed.stderr


def test_in_process_user_code_that_does_not_return(
    algorithm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setenv("HKUBE_LOG_LEVEL", "info")
    algorithm.write_text(
        "import time\nwhile True:\n    try:\n        time.sleep(0.01)\n"
        "    except BaseException:\n        pass\n"
    )
    arguments = [str(algorithm), "--in-process", "--timeout", "1"]
    command = [sys.executable, "-m", "wrapper", "run", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            await_line(process.stderr, "stopped after")
            await_line(process.stderr, "exit: the worker asks to end")
            for number in (signal.SIGTERM, signal.SIGINT):  # the second one ends it immediately
                process.send_signal(number)
            assert process.wait(LIMIT) == 1
        finally:
            process.kill()
    assert not list((tmp_path / "scratch").iterdir())


def test_a_line_without_an_end_stands_before_the_end_of_its_task(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "def start(args):\n    print('half a line', end='')\n    return 1\n"
    )
    for mode in ([], ["--in-process"]):
        done = run(tmp_path, *mode, "--input", "[1]", "--input", "[2]")
        lines = done.stderr.splitlines()
        places = [place for place, line in enumerate(lines) if line == "half a line"]
        assert len(places) == 2, done.stderr
        assert all("done" in lines[place + 1] for place in places)


def test_in_process_leftover_thread_is_not_awaited(algorithm: Path) -> None:
    algorithm.write_text(
        "import threading\n\ndef start(args):\n"
        "    threading.Thread(target=threading.Event().wait).start()\n    return 5\n"
    )
    done = run(algorithm, "--in-process")
    assert (done.returncode, done.stdout) == (0, "5\n")


def test_in_process_invalid_settings(algorithm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HKUBE_LOG_LEVEL", "loud")
    done = run(algorithm, "--in-process")
    assert (done.returncode, done.stdout) == (78, "")
    assert "HKUBE_LOG_LEVEL is 'loud'" in done.stderr


@pytest.mark.parametrize("more", [[], ["--in-process"]])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_exit_codes_of_signals(algorithm: Path, number: signal.Signals, more: list[str]) -> None:
    with running(algorithm, "loop", *more) as process:
        process.send_signal(number)
        process.communicate(timeout=LIMIT)
        assert process.returncode == 128 + number


def test_in_process_crash_shows_its_stack(algorithm: Path) -> None:
    done = run(algorithm, "--input", '["crash"]', "--in-process")
    assert done.returncode == -signal.SIGSEGV
    assert "Segmentation fault" in done.stderr
    assert 'algorithm.py", line 9 in start' in done.stderr


def test_in_process_debugger(algorithm: Path) -> None:
    algorithm.write_text("import os\n\ndef start(args):\n    return os.getppid()\n")
    done = run(algorithm, "--in-process")
    assert done.stdout == f"{os.getpid()}\n"


def test_port_option(algorithm: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(algorithm, "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: another program uses port {port} of 127.0.0.1: choose another" in done.stderr
    algorithm.write_text("import os\ndef start(args): return os.environ['WORKER_SOCKET_PORT']\n")
    assert run(algorithm, "--port", str(port)).stdout == f'"{port}"\n'


HERE = ["run", "run --in-process"]


def in_shell(line: str) -> subprocess.CompletedProcess[str]:
    command = line.replace("hkube-wrapper", f"{sys.executable} -m wrapper")
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=LIMIT, check=False
    )


@pytest.mark.parametrize("command", HERE)
def test_closed_reader_of_stdout(algorithm: Path, command: str) -> None:
    done = in_shell(
        f"hkube-wrapper {command} {algorithm} --input '[\"a\"]' --repeat 2 "
        "| true; exit ${PIPESTATUS[0]}"
    )
    assert done.returncode == 141
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr


@pytest.mark.parametrize("command", HERE)
def test_full_disk(algorithm: Path, command: str) -> None:
    done = in_shell(f"hkube-wrapper {command} {algorithm} --input '[\"a\"]' >/dev/full")
    assert done.returncode == 1
    assert done.stderr.endswith("error: No space left on device\n")


@pytest.mark.parametrize("command", HERE)
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(algorithm: Path, command: str, closed: str) -> None:
    done = in_shell(f"hkube-wrapper {command} {algorithm} --input '[\"a\"]' {closed}")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert done.stdout == ('"a"\n' if closed == "2>&-" else "")


def test_watch_runs_again_after_a_save(algorithm: Path) -> None:
    algorithm.write_text("def start(args): return 1\n")
    command = [sys.executable, "-m", "wrapper", "run", str(algorithm), "--watch"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            assert process.stdout.readline() == "1\n"
            await_line(process.stderr, "waiting for the next save")
            algorithm.write_text("def start(args): return 2\n")
            assert process.stdout.readline() == "2\n"
            await_line(process.stderr, "waiting for the next save")
            algorithm.write_text("def start(args): retrun 3\n")
            await_line(process.stderr, "algorithm.py:1 is not valid Python")
            await_line(process.stderr, "waiting for the next save")
            # A save interrupts a run that has not ended.
            algorithm.write_text("print('at work')\ndef start(args):\n    while True: pass\n")
            await_line(process.stderr, "started after")
            algorithm.write_text("def start(args): return 4\n")
            await_line(process.stderr, "interrupted after")
            await_line(process.stderr, "algorithm.py: running again")
            assert process.stdout.readline() == "4\n"
            await_line(process.stderr, "waiting for the next save")
            process.send_signal(signal.SIGINT)
            assert process.wait(LIMIT) == 130
        finally:
            process.kill()


def test_watch_covers_every_file_that_a_run_reads(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("alg", "algs", "pipelines")}
    for folder in folders.values():
        folder.mkdir()
    answers = tmp_path / "answers.json"
    answers.write_text('{"algorithms": {"scripted": {"result": 1}}}')
    calls = (
        "def start(args, hkubeApi):\n    call = hkubeApi.start_algorithm\n"
        "    return [call('scripted', []), call('called', [])]\n"
    )
    (folders["alg"] / "main.py").write_text(calls)
    (folders["algs"] / "called.py").write_text("def start(args): return 1\n")
    options = [f"--{name}={tmp_path / at}" for name, at in _READ.items()]
    command = [sys.executable, "-m", "wrapper", "run", str(folders["alg"]), "--watch", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None

        def expect(result: str) -> None:
            assert process.stdout is not None and process.stderr is not None
            await_line(process.stdout, result)  # one save may be reported twice
            await_line(process.stderr, "waiting for the next save")

        try:
            expect("[1, 1]")
            answers.write_text('{"algorithms": {"scripted": {"result": 2}}}')
            expect("[2, 1]")
            (folders["algs"] / "called.py").write_text("def start(args): return 2\n")
            expect("[2, 2]")
            (folders["pipelines"] / "p.json").write_text('{"name": "p", "nodes": 5}')
            expect("[2, 2]")
            (folders["alg"] / "main.py").unlink()
            folders["alg"].rmdir()
            await_line(process.stderr, "alg does not exist")
            await_line(process.stderr, "waiting for the next save")
            folders["alg"].mkdir()
            (folders["alg"] / "main.py").write_text("def start(args): return 3\n")
            await_line(process.stdout, "3")
        finally:
            process.kill()


_READ = {"answers": "answers.json", "algorithms": "algs", "pipelines": "pipelines"}


def test_memory_of_an_earlier_run_is_not_counted(algorithm: Path) -> None:
    description = algorithm.with_name("algorithm.yml")
    description.write_text(
        "name: a\ncode: {path: ., entryPoint: algorithm.py}\nresources: {mem: 150Mi}\n"
    )
    algorithm.write_text("def start(args): return len(bytearray(b'x') * 300_000_000)\n")
    command = [sys.executable, "-m", "wrapper", "run", str(description), "--watch"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            await_line(process.stderr, "resources.mem is 150 MiB")
            await_line(process.stderr, "waiting for the next save")
            algorithm.write_text("def start(args): return 1\n")
            await_line(process.stderr, "done after")
            assert "waiting for the next save" in process.stderr.readline()
        finally:
            process.kill()


def await_line(stream: IO[str], text: str) -> None:
    while text not in (line := stream.readline()):
        assert line, f"it ended before it said: {text}"


def test_terminal_shows_a_bar(algorithm: Path) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "wrapper", "run", str(algorithm), '--input=["observed"]']
    environ = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=terminal, text=True, env=environ
    ) as process:
        os.close(terminal)
        pieces = []
        try:
            while piece := os.read(controller, 65536):
                pieces.append(piece)
        except OSError:  # Linux: the other side is closed
            pass
        result, _ = process.communicate(timeout=LIMIT)
    os.close(controller)
    text = b"".join(pieces).decode()
    assert (process.returncode, result) == (0, "null\n")
    assert "100 %" in text and "━" in text
    assert "working on observed" in text
    assert "progress 50" not in text  # the bar shows it


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "error: . has no main.py"),
        (["nowhere.py"], "nowhere.py does not exist"),
        (["{algorithm}", "--input", "{}"], "must be a JSON array"),
        (["{algorithm}", "--input", "{'a'}"], "not valid JSON"),
        (["{algorithm}", "--answers", "none.json"], "cannot read none.json"),
        (["{algorithm}", "--watch", "--in-process"], "cannot be combined"),
        (["{algorithm}", "--watch", "--input", "-"], "can be read only once"),
        (["{algorithm}", "--timeout", "0"], "--timeout must be more than 0 seconds, not 0"),
        (["{algorithm}", "--timeout", "soon"], "--timeout"),
        (["{algorithm}", "--repeat", "0"], "--repeat"),
        (["{algorithm}", "--port", "70000"], "--port"),
        (["{algorithm}", "--flow-input", "[]"], "--flow-input must be a JSON object"),
        (["{algorithm}", "--algorithms", "none"], "none"),
        (["{algorithm}", "--pipelines", "none"], "none"),
        (["{algorithm}", "--extra-data", "[]"], "--extra-data must be a JSON object"),
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


def test_second_ctrl_c_ends_immediately(algorithm: Path) -> None:
    with running(algorithm, "stick") as process:
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        await_line(process.stderr, "stopping; Ctrl-C again ends at once")
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) == 130
        # The stop ladder writes this after 7 s.
        assert "where the algorithm is stuck" not in process.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_leaves_nothing_behind(algorithm: Path, number: signal.Signals) -> None:
    with running(algorithm, "stick") as process:
        process.send_signal(number)
        assert process.wait(LIMIT) == 128 + number


def test_help_names_every_option() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(option in done.stdout for option in ("PATH", "--input", "--answers"))
    assert "Exit codes: 0 success" in done.stdout


STATELESS = """\
def start(args, hkubeApi):
    message = args["streamInput"]["message"]
    if message == "skip":
        return hkubeApi.SKIP
    if message == "send":
        hkubeApi.send_message({"sent": 1}, "side")
    return [args["input"], args["streamInput"]["origin"], message]
"""


@pytest.fixture
def stateless(tmp_path: Path) -> Path:
    path = tmp_path / "stateless.py"
    path.write_text(STATELESS)
    return path


@pytest.mark.parametrize("options", [[], ["--storage", "fs"], ["--in-process"]])
def test_messages_reach_a_stateless_algorithm(stateless: Path, options: list[str]) -> None:
    messages = ["--message", '{"a": 1}', "--message", '"skip"', "--message", '"send"']
    done = run(stateless, "--input", "[5]", *messages, *options)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        [[5], "local", {"a": 1}],
        None,
        [[5], "local", "send"],
    ]
    assert "sent along flow 'side': {\"sent\": 1}" in done.stderr
    assert "warning" not in done.stderr


def test_lines_are_messages_for_a_stateless_algorithm(stateless: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines.jsonl"
    lines.write_text('1\n\n"b"\n')
    done = run(stateless, "--feed", lines)
    assert [json.loads(line)[2] for line in done.stdout.splitlines()] == [1, "b"]
    done = run(stateless, "--feed", "-", stdin="3\n")
    assert [json.loads(line)[2] for line in done.stdout.splitlines()] == [3]


def test_a_line_that_is_not_json_is_named(stateless: Path) -> None:
    done = run(stateless, "--feed", "-", stdin="3\n{a\n")
    assert done.returncode == 2
    assert "--feed (from stdin): line 2 is not valid JSON" in done.stderr
    assert done.stdout == ""
