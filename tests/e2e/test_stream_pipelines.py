"""`hkube-wrapper pipeline run` of streaming pipelines, with real processes."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.free_ports import free_port

LIMIT = 60.0

COUNT = """
import time

def start(args, hkube_api):
    for number in range(args["input"][0]):
        hkube_api.send_message(number)
    while not hkube_api.stop_requested:
        time.sleep(0.01)
"""
ONCE = """
def start(args, hkube_api):
    for number in range(args["input"][0]):
        hkube_api.send_message(number)
"""
DOUBLE = """
def start(args, hkube_api):
    return args["streamInput"]["message"] * 2
"""
SINK = """
def start(args, hkube_api):
    for message in hkube_api.messages():
        print("sunk", message.value, flush=True)
"""
SOURCE = {
    "nodeName": "A",
    "algorithmName": "count",
    "stateType": "stateful",
    "input": ["@flowInput.n"],
}
WORKER = {"nodeName": "B", "algorithmName": "double", "stateType": "stateless"}


class Command:
    """The command as a process, with what it has written so far."""

    def __init__(self, arguments: list[str], folder: Path, feed: str | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hkube_python_wrapper._launch", "pipeline", "run", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._threads = [
            threading.Thread(target=self._read, args=[name], daemon=True) for name in self.lines
        ]
        for thread in self._threads:
            thread.start()
        if feed is not None:
            assert self._process.stdin is not None
            self._process.stdin.write(feed)
            self._process.stdin.close()

    def _read(self, name: str) -> None:
        with getattr(self._process, name) as lines:
            for line in lines:
                self.lines[name].append(line.rstrip("\n"))

    @property
    def messages(self) -> list[Any]:
        """What left the pipeline."""
        return [json.loads(line) for line in self.lines["stdout"]]

    @property
    def said(self) -> str:
        """What the command wrote on stderr."""
        return "\n".join(self.lines["stderr"])

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is true, or fail with what the command said."""
        end = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < end, self.said
            assert self._process.poll() is None or condition(), self.said
            time.sleep(0.02)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def wait(self) -> int:
        """Return the exit code."""
        code = self._process.wait(LIMIT)
        for thread in self._threads:
            thread.join(LIMIT)
        return code

    def descendants(self) -> list[psutil.Process]:
        """Return the processes that it has started."""
        return psutil.Process(self._process.pid).children(recursive=True)

    def kill(self) -> None:
        """End it, whatever it does."""
        if self._process.poll() is None:
            # Its children first: they are in process groups of their own.
            for each in [*self.descendants(), psutil.Process(self._process.pid)]:
                each.kill()
            self._process.wait(LIMIT)


Run = Callable[..., Command]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """A function that begins to run a pipeline: flow, algorithms, nodes, options."""
    commands: list[Command] = []

    def begin(
        flow: str,
        algorithms: dict[str, str],
        nodes: list[dict[str, Any]],
        *options: str,
        feed: str | None = None,
        **fields: Any,
    ) -> Command:
        folder = tmp_path / "algorithms"
        folder.mkdir(exist_ok=True)
        for name, code in algorithms.items():
            (folder / f"{name}.py").write_text(textwrap.dedent(code))
        document = {
            "name": "p",
            "kind": "stream",
            "nodes": nodes,
            "streaming": {"flows": {"main": flow}},
            "flowInput": {"n": 100},
            **fields,
        }
        (tmp_path / "p.json").write_text(json.dumps(document))
        commands.append(Command(["p.json", *options], tmp_path, feed))
        return commands[-1]

    yield begin
    for command in commands:
        command.kill()


def test_what_stateless_last_nodes_return_is_on_stdout(run: Run) -> None:
    command = run(
        "A >> B", {"count": COUNT, "double": DOUBLE}, [SOURCE, WORKER], "--messages", "100"
    )
    assert command.wait() == 0, command.said
    assert command.messages == [2 * number for number in range(100)]
    assert "[local] A >> B: " in command.said
    assert "--messages 100" in command.said


def test_json_names_the_node_of_each_message(run: Run) -> None:
    command = run(
        "A >> B", {"count": COUNT, "double": DOUBLE}, [SOURCE, WORKER], "--messages=2", "--json"
    )
    assert command.wait() == 0, command.said
    assert command.messages == [{"node": "B", "message": 0}, {"node": "B", "message": 2}]


def test_ctrl_c_hands_over_everything_first(run: Run) -> None:
    slow = "import time\n\ndef start(args, api):\n    time.sleep(0.01)\n    return 1\n"
    sink = {"nodeName": "C", "algorithmName": "sink", "stateType": "stateful"}
    command = run(
        "A >> B >> C", {"count": COUNT, "double": slow, "sink": SINK}, [SOURCE, WORKER, sink]
    )
    command.wait_until(lambda: "[C] sunk" in command.said)
    command.interrupt()
    assert command.wait() == 130, command.said
    assert command.said.count("[C] sunk 1") == 100
    assert "A >> B: 100 handled\n[local] B >> C: 100 handled" in command.said


def test_a_second_ctrl_c_ends_at_once(run: Run) -> None:
    stuck = "import time\n\ndef start(args, api):\n    print('stuck')\n    time.sleep(60)\n"
    command = run("A >> B", {"count": COUNT, "double": stuck}, [SOURCE, WORKER])
    command.wait_until(lambda: "[B] stuck" in command.said)
    processes = command.descendants()
    assert processes
    command.interrupt()
    command.wait_until(lambda: "Ctrl-C again ends at once" in command.said)
    command.interrupt()
    assert command.wait() == 130, command.said
    _, alive = psutil.wait_procs(processes, timeout=5)
    assert not alive


def test_the_end_of_a_stateful_node_ends_the_pipeline(run: Run) -> None:
    command = run("A >> B", {"count": ONCE, "double": DOUBLE}, [SOURCE, WORKER])
    assert command.wait() == 0, command.said
    assert "A >> B: 100 handled" in command.said
    assert "A has ended" in command.said


def test_with_drain_the_others_handle_what_waits(run: Run) -> None:
    sink = {"nodeName": "C", "algorithmName": "sink", "stateType": "stateful"}
    command = run(
        "A >> B >> C",
        {"count": ONCE, "double": DOUBLE, "sink": SINK},
        [SOURCE, WORKER, sink],
        "--drain",
    )
    assert command.wait() == 0, command.said
    assert command.said.count("[C] sunk") == 100


def test_a_stateful_node_that_fails_is_restarted_and_then_gives_up(run: Run) -> None:
    fails = "def start(args, api):\n    raise ValueError('no')\n"
    command = run("A >> B", {"count": fails, "double": DOUBLE}, [SOURCE, WORKER])
    assert command.wait() == 1, command.said
    assert command.said.count("A failed: ") == 4
    assert "failed after" in command.said
    assert "A failed 4 times" in command.said


def test_a_node_that_crashes_is_restarted_and_messages_go_on(run: Run) -> None:
    crashes = """
        import os

        def start(args, api):
            if args["streamInput"]["message"] == 3 and not os.path.exists("crashed"):
                open("crashed", "w").close()
                os.kill(os.getpid(), 9)
            return args["streamInput"]["message"]
    """
    command = run(
        "A >> B",
        {"count": COUNT, "double": crashes},
        [SOURCE, WORKER],
        "--messages=5",
        flowInput={"n": 5},
    )
    assert command.wait() == 0, command.said
    assert "B failed: its process ended with" in command.said
    assert sorted(set(command.messages)) == [0, 1, 2, 3, 4]


def test_a_slow_stateless_node_gets_more_pods(run: Run) -> None:
    slow = """
        import os, time

        def start(args, api):
            time.sleep(0.1)
            return os.getpid()
    """
    worker = {**WORKER, "maxStatelessCount": 3}
    command = run("A >> B", {"count": COUNT, "double": slow}, [SOURCE, worker], "--messages=100")
    assert command.wait() == 0, command.said
    assert len(set(command.messages)) == 3


def test_duration_ends_a_pipeline(run: Run) -> None:
    command = run("A >> B", {"count": COUNT, "double": DOUBLE}, [SOURCE, WORKER], "--duration=1")
    assert command.wait() == 0, command.said
    assert len(command.messages) == 100


def test_a_wrong_flow_is_refused_with_its_place(run: Run) -> None:
    command = run("A >> X", {"count": COUNT, "double": DOUBLE}, [SOURCE, WORKER])
    assert command.wait() == 2
    assert "p.json: streaming: flows: main: 'X' is not a node of the pipeline" in command.said


def test_options_of_streaming_pipelines_are_refused_for_others(run: Run) -> None:
    node = {"nodeName": "B", "algorithmName": "double"}
    command = run("", {"double": DOUBLE}, [node], "--duration=1", kind="batch", streaming=None)
    assert command.wait() == 2
    assert "--duration is for streaming pipelines (kind: stream) only" in command.said


SINGLE = [{"nodeName": "gw", "kind": "gateway", "spec": {"name": "door"}}, WORKER]


def post(url: str, body: str) -> tuple[int, Any]:
    """Post a body; returns status and answer."""
    request = urllib.request.Request(url, body.encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_gateway_takes_messages_over_http(run: Run) -> None:
    port = free_port()
    command = run("gw >> B", {"double": DOUBLE}, SINGLE, f"--port={port}", "--messages=2")
    url = f"http://127.0.0.1:{port}/streaming/message"
    command.wait_until(lambda: f"gateway door: POST {url}?flow=NAME" in command.said)
    command.wait_until(lambda: is_listening(port))
    assert post(f"{url}?flow=main", "4") == (200, {"message": "OK"})
    status, answer = post(f"{url}?flow=other", "4")
    assert (status, answer) == (400, {"error": "there is no flow 'other'; the flows are main"})
    status, answer = post(url, "{")
    assert status == 400
    assert "the body is not valid JSON" in answer["error"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/streaming/info", timeout=10) as info:
        assert json.load(info)["flows"] == ["main"]
    assert post(url, '"a"')[0] == 200
    assert command.wait() == 0, command.said
    assert command.messages == [8, "aa"]


def is_listening(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_feed_takes_the_place_of_an_entry_node(run: Run) -> None:
    lines = "".join(f"{number}\n" for number in range(300)) + "\n1000"
    options = ("--feed", "-")
    command = run("A >> B", {"double": DOUBLE}, [SOURCE, WORKER], *options, feed=lines)
    assert command.wait() == 0, command.said
    assert command.messages == [*range(0, 600, 2), 2000]
    assert "--feed has ended" in command.said


def test_a_feed_can_enter_a_gateway_from_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "lines.jsonl").write_text('[1]\n{"a": 2}\n')
    code = "def start(args, api):\n    return args['streamInput']['message']\n"
    command = run("gw >> B", {"double": code}, SINGLE, "--feed=lines.jsonl")
    assert command.wait() == 0, command.said
    assert command.messages == [[1], {"a": 2}]


def test_a_line_that_is_not_json_ends_the_feed(run: Run) -> None:
    options = ("--feed", "-")
    command = run("gw >> B", {"double": DOUBLE}, SINGLE, *options, feed="1\n{2\n3\n")
    assert command.wait() == 1, command.said
    assert command.messages == [2]
    assert "line 2 of stdin: the body is not valid JSON" in command.said


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--feed-flow=main",), "--feed-flow needs --feed"),
        (("--feed=-", "--feed-flow=mian"), "there is no flow 'mian': did you mean 'main'?"),
        (
            ("--feed=-", "--feed-node=B"),
            "'B' is not an entry node; the entry nodes are: A",
        ),
        (("--feed=missing.jsonl",), "--feed: cannot read missing.jsonl: No such file"),
        (("--port=4000",), "--port is for gateways, but the pipeline has no gateway"),
    ],
)
def test_wrong_options_are_refused(run: Run, options: tuple[str, ...], why: str) -> None:
    command = run("A >> B", {"count": COUNT, "double": DOUBLE}, [SOURCE, WORKER], *options)
    assert command.wait() == 2
    assert why in command.said


def test_an_algorithm_of_a_stream_can_start_others(run: Run) -> None:
    code = """
        def start(args, api):
            return api.start_algorithm("times", [args["streamInput"]["message"]])
    """
    times = "def start(args):\n    return args['input'][0] * 10\n"
    options = ("--feed", "-")
    command = run("A >> B", {"double": code, "times": times}, [SOURCE, WORKER], *options, feed="7")
    assert command.wait() == 0, command.said
    assert command.messages == [70]


def test_a_terminal_shows_a_live_table(run: Run, tmp_path: Path) -> None:
    # The pipeline's files, from a run that does nothing.
    run("A >> B", {"double": DOUBLE}, [SOURCE, WORKER], "--feed", os.devnull).wait()
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "hkube_python_wrapper._launch", "pipeline", "run", "p.json"),
            *("--feed", "-"),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "160"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=follower,
    ) as process:
        os.close(follower)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"21\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"42\n"
        shown = b""
        while not re.search(rb"A >> B +1 +\d+ +0 +0 +1 ", shown):
            shown += os.read(leader, 65536)
        process.stdin.close()
        while b"--feed has ended" not in shown:
            shown += os.read(leader, 65536)
        assert process.wait(LIMIT) == 0
    os.close(leader)
    assert b"handling p50 / p99" in shown


def test_messages_that_a_stateful_sink_has_handled_count(run: Run) -> None:
    sink = {"nodeName": "C", "algorithmName": "sink", "stateType": "stateful"}
    command = run(
        "A >> C", {"count": COUNT, "sink": SINK}, [SOURCE, sink], "--messages=100", "--json"
    )
    assert command.wait() == 0, command.said
    assert "--messages 100" in command.said
    assert command.messages == []


def test_a_batch_makes_a_pod_of_a_stateful_node_for_each_item(run: Run) -> None:
    code = """
        import time

        def start(args, api):
            api.send_message([args["batchIndex"], *args["input"]])
            while not api.stop_requested:
                time.sleep(0.01)
    """
    source = {**SOURCE, "input": ["#@flowInput.names", 5]}
    echo = "def start(args, api):\n    return args['streamInput']['message']\n"
    command = run(
        "A >> B",
        {"count": code, "double": echo},
        [source, WORKER],
        "--messages=2",
        flowInput={"names": ["x", "y"]},
    )
    assert command.wait() == 0, command.said
    assert sorted(command.messages) == [[1, "x", 5], [2, "y", 5]]
