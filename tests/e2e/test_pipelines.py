"""`hkube-wrapper pipeline run` with real processes: results, failures and Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

LIMIT = 60.0
ALGORITHMS = {
    "echo": """\
        def start(args):
            return args["input"]
    """,
    "double": """\
        def start(args):
            return args["input"][0] * 2
    """,
    "total": """\
        def start(args):
            return {"sum": sum(args["input"][0]), "batch": args["input"][0]}
    """,
    "job": """\
        def start(args):
            return {key: args[key] for key in ("nodeName", "batchIndex", "parents", "childs")}
    """,
    "process": """\
        import os
        def start(args):
            return os.getpid()
    """,
    "prints": """\
        def start(args):
            print("a line of", args["nodeName"])
    """,
    "picky": """\
        def start(args):
            if args["input"][0] in args["input"][1]:
                raise KeyError(args["input"][0])
            return args["input"][0]
    """,
    "crash": """\
        import os, signal
        def start(args):
            if args["attempts"] < args["input"][0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return args["attempts"]
    """,
    "dies": """\
        import os, signal
        def start(args):
            os.kill(os.getpid(), signal.SIGKILL)
    """,
    "moody": """\
        def start(args):
            if args["attempts"] < args["input"][0]:
                raise RuntimeError(f"attempt {args['attempts']}")
            return args["attempts"]
    """,
    "parent": """\
        def start(args, hkubeApi):
            item = args["input"][0]
            double = hkubeApi.start_algorithm("double", [item])
            stored = hkubeApi.start_stored_subpipeline("stored", {"x": [item, double]})
            nodes = [{"nodeName": "n", "algorithmName": "echo", "input": ["#@flowInput.y"]}]
            raw = hkubeApi.start_raw_subpipeline("raw", nodes, {"y": [item, "@n"]})
            return [double, stored, [entry["result"] for entry in raw]]
    """,
    "asks": """\
        from wrapper import AlgorithmExecutionError, SubPipelineError, SubPipelineStopped
        def start(args, hkubeApi):
            kind, name = args["input"]
            try:
                if kind == "algorithm":
                    return hkubeApi.start_algorithm(name, [1])
                return hkubeApi.start_stored_subpipeline(name)
            except (AlgorithmExecutionError, SubPipelineError, SubPipelineStopped) as error:
                return f"{type(error).__name__}: {error}"
    """,
    "many": """\
        def start(args, hkubeApi):
            futures = [
                hkubeApi.start_algorithm("double", [n], blocking=False) for n in range(20)
            ]
            return [future.result() for future in futures]
    """,
    "forever": """\
        def start(args, hkubeApi):
            return hkubeApi.start_algorithm("forever", [])
    """,
    "leaves": """\
        def start(args, hkubeApi):
            hkubeApi.start_algorithm("polite", [args["input"][0]], blocking=False)
            import pathlib, time
            while not pathlib.Path(args["input"][0], "begun").exists():
                time.sleep(0.01)
            return "left it alone"
    """,
    "stops": """\
        import pathlib, time
        def start(args, hkubeApi):
            future = hkubeApi.start_algorithm("polite", [args["input"][0]], blocking=False)
            while not pathlib.Path(args["input"][0], "begun").exists():
                time.sleep(0.01)
            hkubeApi.stop_algorithm(future, "enough")
            while not pathlib.Path(args["input"][0], "stopped").exists():
                time.sleep(0.01)
            return "stopped it"
    """,
    "polite": """\
        import pathlib, time
        def start(args, hkubeApi):
            folder = pathlib.Path(args["input"][0])
            try:
                (folder / "begun").touch()
                print("polite is at work", flush=True)
                while True:
                    time.sleep(0.01)
            finally:
                (folder / "stopped").touch()
    """,
    "stuck": """\
        import time
        def start(args, hkubeApi):
            print("stuck is at work", flush=True)
            while True:
                try:
                    time.sleep(0.01)
                except BaseException:
                    pass
    """,
    "fails_beside": """\
        import pathlib, time
        def start(args):
            while not pathlib.Path(args["input"][0], "begun").exists():
                time.sleep(0.01)
            raise ValueError("no use")
    """,
}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def results(self) -> list[Any]:
        assert self.code == 0, self.stderr
        return [entry["result"] for entry in json.loads(self.stdout)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the algorithms beside the descriptor."""
    (tmp_path / "algorithms").mkdir()
    for name, text in ALGORITHMS.items():
        lines = [line.removeprefix("        ") for line in text.splitlines()]
        (tmp_path / "algorithms" / f"{name}.py").write_text("\n".join(lines))
    return tmp_path


def node(name: str, algorithm: str, *inputs: Any, **fields: Any) -> dict[str, Any]:
    return {"nodeName": name, "algorithmName": algorithm, "input": list(inputs), **fields}


def command(folder: Path, *options: str | Path) -> list[str]:
    return [
        *(sys.executable, "-m", "wrapper", "pipeline", "run"),
        str(folder / "pipeline.json"),
        *map(str, options),
    ]


def write(folder: Path, *nodes: dict[str, Any], **fields: Any) -> None:
    document = {"name": "simple", "nodes": list(nodes), **fields}
    (folder / "pipeline.json").write_text(json.dumps(document))


def run(folder: Path, *options: str | Path, stdin: str = "") -> Ended:
    done = subprocess.run(
        command(folder, *options),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@contextmanager
def running(folder: Path, line: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command, yield after a given line, then check that no process is left."""
    with subprocess.Popen(command(folder, *options), stderr=subprocess.PIPE, text=True) as process:
        below: list[psutil.Process] = []
        try:
            read_until(process, line)
            below = psutil.Process(process.pid).children(recursive=True)
            assert below
            yield process
        finally:
            process.kill()
    _, alive = psutil.wait_procs(below, timeout=10)
    assert not alive, alive


def read_until(process: subprocess.Popen[str], words: str) -> None:
    """Read stderr to the end of the line that contains some words; fail after LIMIT."""
    assert process.stderr is not None
    line, ends = b"", time.monotonic() + LIMIT
    while not (line.endswith(b"\n") and words in line.decode()):
        line = b"" if line.endswith(b"\n") else line
        byte = read_within(ends, process.stderr.fileno(), 1)  # the test reads the rest
        assert byte, "it ended too early"
        line += byte


def read_within(ends: float, descriptor: int, size: int) -> bytes:
    """Read at most `size` bytes; fail at a given time of the monotonic clock."""
    assert select.select([descriptor], [], [], max(0.0, ends - time.monotonic()))[0], "too late"
    return os.read(descriptor, size)


def test_nodes_and_batches_give_a_result_as_in_hkube(folder: Path) -> None:
    write(
        folder,
        node("doubled", "double", "#@flowInput.items"),
        node("summed", "total", "@doubled"),
        node("end", "echo", "@summed.sum", ["@summed.batch.1"], 7),
        flowInput={"items": [1, 2, 3]},
    )
    ended = run(folder)
    assert ended.code == 0, ended.stderr
    assert json.loads(ended.stdout) == [
        {"nodeName": "end", "algorithmName": "echo", "result": [12, [4], 7]}
    ]
    assert "[local] doubled started, 3 tasks\n" in ended.stderr
    assert "[local] done after" in ended.stderr


def test_unused_batch_has_a_result_entry_for_each_task(folder: Path) -> None:
    write(folder, node("n", "double", "#[1...3]"))
    assert json.loads(run(folder).stdout) == [
        {"nodeName": "n", "algorithmName": "double", "batchIndex": 1, "result": 2},
        {"nodeName": "n", "algorithmName": "double", "batchIndex": 2, "result": 4},
        {"nodeName": "n", "algorithmName": "double", "batchIndex": 3, "result": 6},
    ]


def test_any_references(folder: Path) -> None:
    write(
        folder,
        node("a", "echo", "#[[1,2],[3]]"),
        node("each", "echo", "*@a.0"),
        node("items", "double", "*#@a.0"),
    )
    assert run(folder).results == [[[1, 2]], [[3]], 2, 4, 6]


def test_job_of_each_task(folder: Path) -> None:
    write(folder, node("a", "job", "#[1,2]", includeInResult=True), node("b", "job", "@a"))
    assert run(folder).results == [
        {"nodeName": "a", "batchIndex": 1, "parents": [], "childs": ["b"]},
        {"nodeName": "a", "batchIndex": 2, "parents": [], "childs": ["b"]},
        {"nodeName": "b", "batchIndex": 0, "parents": ["a"], "childs": []},
    ]


def test_processes_are_reused_and_limited(folder: Path) -> None:
    write(folder, node("a", "process", "#[1...20]"), node("b", "process", "#[1...20]", "@a"))
    assert len(set(run(folder, "--processes", "2").results)) <= 2


def test_more_algorithms_than_processes(folder: Path) -> None:
    write(
        folder,
        *(node(f"n{i}", name, 1) for i, name in enumerate(["echo", "double", "process", "echo"])),
    )
    results = run(folder, "--processes", "1").results
    assert results[:2] + results[3:] == [[1], 2, [1]]


def test_output_is_labelled_with_its_node(folder: Path) -> None:
    write(folder, node("green", "prints"), node("yellow", "prints"))
    stderr = run(folder).stderr
    assert "[green] a line of green\n" in stderr
    assert "[yellow] a line of yellow\n" in stderr


def test_failure_message_names_node_task_and_cause(folder: Path) -> None:
    write(folder, node("n", "picky", "#[1,2]", [2]), options={"batchTolerance": 0})
    ended = run(folder)
    assert (ended.code, ended.stdout) == (1, "")
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("[local] failed after ")
    assert last.endswith(
        ": n[2]: 1/2 (50%) failed tasks, batch tolerance is 0%, "
        "error: KeyError: 2 (picky.py:3, in start)"
    )
    assert "Traceback" in ended.stderr, "the output includes the user's traceback"
    assert "wrapper/" not in ended.stderr


def test_batch_tolerates_some_failures(folder: Path) -> None:
    write(folder, node("n", "picky", "#[1,2,3]", [2]))
    ended = run(folder)
    entries = json.loads(ended.stdout)
    assert [entry.get("result") for entry in entries] == [1, None, 3]
    assert entries[1]["error"] == "KeyError: 2 (picky.py:3, in start)"
    assert "[local] n[2] failed: KeyError: 2" in ended.stderr


def test_crash_is_retried_but_an_error_is_not(folder: Path) -> None:
    write(folder, node("n", "crash", 2))
    ended = run(folder)
    assert ended.results == [2]
    assert "[local] n failed: its process ended with exit code 137 (SIGKILL)\n" in ended.stderr
    assert "[local] n is retried, attempt 3\n" in ended.stderr
    write(folder, node("n", "moody", 1))
    assert (
        run(folder)
        .stderr.splitlines()[-1]
        .endswith(": n: RuntimeError: attempt 0 (moody.py:3, in start)")
    )
    write(folder, node("n", "moody", 1, retry={"policy": "OnError", "limit": 1}))
    assert run(folder).results == [1]


def test_repeated_crash_fails_the_pipeline(folder: Path) -> None:
    write(folder, node("n", "crash", 99, retry={"policy": "Always", "limit": 1}))
    ended = run(folder)
    assert ended.code == 1
    assert ended.stderr.endswith("n: its process ended with exit code 137 (SIGKILL)\n")


def test_failure_stops_the_other_tasks(folder: Path) -> None:
    write(folder, node("a", "polite", str(folder)), node("b", "fails_beside", str(folder)))
    ended = run(folder)
    assert ended.code == 1
    assert (folder / "stopped").exists()


@pytest.mark.parametrize("options", [{"options": {"ttl": 4}}, {}], ids=["pipeline", "node"])
def test_exceeded_ttl_fails_the_pipeline(folder: Path, options: dict[str, Any]) -> None:
    ttl = {} if options else {"ttl": 4}
    write(folder, node("n", "polite", str(folder), **ttl), **options)
    ended = run(folder)
    assert ended.code == 1
    *_, outcome = (line for line in ended.stderr.splitlines() if line.startswith("[local]"))
    assert "it took longer than its " in outcome and "ttl of 4 s" in outcome
    assert "[n] [wrapper] warning: asked to stop at polite.py:" in ended.stderr
    assert (folder / "stopped").exists()


def test_algorithms_start_algorithms_and_pipelines(folder: Path) -> None:
    (folder / "stored").mkdir()
    stored = {"nodes": [node("t", "total", "@flowInput.x")]}
    (folder / "stored" / "stored.json").write_text(json.dumps(stored))
    write(folder, node("n", "parent", "#[1,2,3,4,5]"))
    ended = run(folder, "--pipelines", folder / "stored", "--processes", "2")
    assert ended.results == [
        [
            2 * n,
            [
                {
                    "nodeName": "t",
                    "algorithmName": "total",
                    "result": {"sum": 3 * n, "batch": [n, 2 * n]},
                }
            ],
            [[n], ["@n"]],
        ]
        for n in range(1, 6)
    ]


def test_one_process_is_enough_for_an_algorithm_that_calls(folder: Path) -> None:
    write(folder, node("n", "many"))
    assert run(folder, "--processes", "1").results == [[2 * n for n in range(20)]]


@pytest.mark.parametrize(
    "kind, name, text",
    [
        (
            "algorithm",
            "dubble",
            "AlgorithmExecutionError: algorithm 'dubble': there is no answer for it, and there is",
        ),
        (
            "pipeline",
            "p",
            (
                "SubPipelineError: there is no answer for it, and there is no stored pipeline "
                "'p'; give a folder of them with --pipelines"
            ),
        ),
        ("algorithm", "dies", "AlgorithmExecutionError: its process ended with exit code 137"),
        ("algorithm", "scripted", "from the file"),
        ("pipeline", "stopped", "SubPipelineStopped: by hand"),
        ("algorithm", "forever", "AlgorithmExecutionError: AlgorithmExecutionError: "),
    ],
)
def test_replies_to_calls(folder: Path, kind: str, name: str, text: str) -> None:
    answers = {
        "algorithms": {"scripted": {"result": "from the file"}},
        "pipelines": {"stopped": {"stopped": "by hand"}},
    }
    (folder / "answers.json").write_text(json.dumps(answers))
    write(folder, node("n", "asks", kind, name))
    (result,) = run(folder, "--answers", folder / "answers.json").results
    assert result.startswith(text)
    if name == "forever":
        assert "calls are nested more than 10 levels deep (… > forever > forever > for" in result


def test_answers_take_precedence_over_algorithms(folder: Path) -> None:
    answers = {"algorithms": {"double": {"result": 99}, "absent": {"error": "not today"}}}
    (folder / "answers.json").write_text(json.dumps(answers))
    write(folder, node("a", "double", 1), node("b", "echo", "@a"))
    assert run(folder, "--answers", folder / "answers.json").results == [[99]]
    write(folder, node("a", "absent"))
    ended = run(folder, "--answers", folder / "answers.json")
    assert ended.code == 1
    assert ended.stderr.endswith(": a: not today\n")


@pytest.mark.parametrize("name, result", [("leaves", "left it alone"), ("stops", "stopped it")])
def test_started_run_ends_with_its_caller_or_when_stopped(
    folder: Path, name: str, result: str
) -> None:
    write(folder, node("n", name, str(folder)))
    assert run(folder).results == [result]
    assert (folder / "stopped").exists()


def test_flow_input_yaml_descriptor_map_and_json_output(folder: Path) -> None:
    (folder / "pipeline.yml").write_text(
        "nodes:\n- {nodeName: n, algorithmName: twice, input: ['@flowInput.x']}\n"
    )
    (folder / "map.yml").write_text("twice: algorithms/double.py\n")
    (folder / "flow.json").write_text('{"x": 3}')
    for given, stdin in ((f"@{folder / 'flow.json'}", ""), ("-", '{"x": 3}'), ('{"x": 3}', "")):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "wrapper", "pipeline", "run", str(folder / "pipeline.yml")),
                *("--algorithms", str(folder / "map.yml"), "--flow-input", given, "--json"),
            ],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout)
        assert summary.pop("seconds") > 0
        entry = {"nodeName": "n", "algorithmName": "twice", "result": 6}
        assert summary == {"status": "completed", "result": [entry], "error": None}


def test_environment_variable_from_the_cluster_is_warned_about(folder: Path) -> None:
    (folder / "algorithms" / "described.yml").write_text(
        "name: described\nalgorithmEnv: {TOKEN: {secretKeyRef: {name: x}}, MODE: fast}\n"
        "code: {path: ., entryPoint: environment.py}\n"
    )
    (folder / "algorithms" / "environment.py").write_text(
        "import os\n\ndef start(args):\n    return os.environ.get('MODE')\n"
    )
    write(folder, node("n", "described"))
    ended = run(folder)
    assert ended.results == ["fast"]
    assert "[local] warning: described: algorithmEnv.TOKEN comes from the cluster" in ended.stderr


def test_failure_as_json(folder: Path) -> None:
    write(folder, node("n", "picky", 1, [1]))
    ended = run(folder, "--json")
    assert ended.code == 1
    summary = json.loads(ended.stdout)
    assert summary["status"] == "failed"
    assert summary["error"] == "n: KeyError: 1 (picky.py:3, in start)"


@pytest.mark.parametrize(
    "document, options, text",
    [
        ("{", [], "is not valid JSON"),
        ("[]", [], "pipeline.json: must be an object, not an array"),
        (
            {"name": "p", "nodes": [node("a", "ecko")]},
            [],
            "nodes[0] 'a': there is no algorithm 'ecko'",
        ),
        ({"name": "p", "nodes": [node("a", "echo", "@b")]}, [], "'@b' refers to an unknown node"),
        (
            {"name": "p", "nodes": [node("a", "echo", "@flowInput.x")]},
            [],
            "node 'a' uses '@flowInput.x', which the flow input does not have",
        ),
        ({"name": "p", "nodes": [node("a", "echo")]}, ["--flow-input", "[]"], "--flow-input"),
        ({"name": "p", "nodes": [node("a", "echo")]}, ["--algorithms", "nowhere"], "nowhere"),
        ({"name": "p", "nodes": [node("a", "echo")]}, ["--pipelines", "nowhere"], "nowhere"),
        ({"name": "p", "nodes": [node("a", "echo")]}, ["--answers", "nowhere"], "nowhere"),
        ({"name": "p", "nodes": [node("a", "echo")]}, ["--processes", "0"], "--processes"),
        ({"name": "p", "nodes": [node("a", "echo")]}, ["--fast"], "--fast"),
    ],
)
def test_wrong_usage(folder: Path, document: Any, options: list[str], text: str) -> None:
    content = document if isinstance(document, str) else json.dumps(document)
    (folder / "pipeline.json").write_text(content)
    ended = run(folder, *options)
    assert (ended.code, ended.stdout) == (2, "")
    assert text in ended.stderr
    assert "Traceback" not in ended.stderr


def test_ctrl_c_stops_the_tasks(folder: Path) -> None:
    write(folder, node("n", "polite", str(folder)), node("m", "double", "#@n"))
    with running(folder, "polite is at work") as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) == 130
        assert process.stderr is not None
        rest = process.stderr.read()
    assert "[local] stopping; Ctrl-C again ends at once\n" in rest
    assert "stopped after" in rest
    assert (folder / "stopped").exists()


def test_second_ctrl_c_ends_at_once(folder: Path) -> None:
    write(folder, node("n", "stuck"))
    with running(folder, "stuck is at work") as process:
        process.send_signal(signal.SIGINT)
        read_until(process, "Ctrl-C again ends at once")
        process.send_signal(signal.SIGINT)
        assert process.wait(8) == 130


def test_sigterm_leaves_nothing_behind(folder: Path) -> None:
    write(folder, node("n", "stuck"), node("m", "polite", str(folder)))
    with running(folder, "stuck is at work") as process:
        process.terminate()
        assert process.wait(8) == 143


def test_terminal_shows_a_table(folder: Path) -> None:
    write(folder, node("green", "prints"), node("yellow", "double", "#[1...3]"))
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        command(folder),
        stdout=subprocess.PIPE,
        stderr=follower,
        text=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
    )
    os.close(follower)
    try:
        shown = all_of_terminal(leader)
        stdout = process.communicate(timeout=LIMIT)[0]
    finally:
        process.kill()
        os.close(leader)
    text = shown.decode()
    assert process.returncode == 0
    assert len(json.loads(stdout)) == 4
    for word in ("algorithm", "waiting", "running", "done", "failed", "time"):
        assert word in text
    assert "[green] a line of green" in text
    assert "[local] done after" in text
    assert "Traceback" not in text


def all_of_terminal(leader: int) -> bytes:
    """Read from a terminal until the last process has closed it; fail after LIMIT."""
    shown, ends = b"", time.monotonic() + LIMIT
    while True:
        try:
            piece = read_within(ends, leader, 4096)
        except OSError:  # the last process has closed the terminal
            return shown
        if not piece:
            return shown
        shown += piece


def test_help_names_every_option() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wrapper", "pipeline", "run", "--help"],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    for option in ("--algorithms", "--flow-input", "--pipelines", "--answers", "--processes"):
        assert option in done.stdout
    assert "Exit codes: 0 success" in done.stdout
