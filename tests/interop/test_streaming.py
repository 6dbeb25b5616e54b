"""Streaming next to HKube's published Python wrapper: each as producer and as consumer of ours."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness.worker import ScriptedWorker
from tests.free_ports import free_port
from tests.paths import ROOT

from .conftest import REQUIRED

PUBLISHED = "hkube-python-wrapper==2.6.0.dev27"
INSTALLATION = 300.0
VENV = ROOT / ".venv-published"
FLOW = {"parsedFlow": {"main": [{"source": "A", "next": ["B"]}]}, "defaultFlow": "main"}
COUNT = 50

SOURCE = """
import time

def start(args, hkube_api):
    for number in range(args["input"][0]):
        hkube_api.sendMessage({"number": number, "bytes": b"\\x00\\xff", "text": "\\u2603"})
    while True:
        time.sleep(0.05)
"""
SINK = """
import time

def start(args, hkube_api):
    def on_message(message, origin):
        with open("received", "a") as file:
            file.write("%s %s %r\\n" % (origin, message["number"], bytes(message["bytes"])))

    hkube_api.registerInputListener(on_message)
    hkube_api.startMessageListening()
    while True:
        time.sleep(0.05)
"""
STATELESS = """
def start(args, hkube_api):
    message = args["streamInput"]["message"]
    with open("received", "a") as file:
        file.write("%s %s %r\\n" % (
            args["streamInput"]["origin"], message["number"], bytes(message["bytes"])
        ))
"""
EXPECTED = [f"A {number} {bytes((0, 255))!r}" for number in range(COUNT)]


@pytest.fixture(scope="session")
def published() -> str:
    """The interpreter of a virtual environment with the published wrapper."""
    python = find_python39()
    if python is None:
        reason = "the published wrapper needs Python 3.9"
        if os.environ.get(REQUIRED) == "required" and shutil.which("pyenv"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    done = VENV / ".installed"
    with (ROOT / "pyproject.toml").open() as held:  # one process of pytest-xdist installs
        fcntl.flock(held, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(VENV, ignore_errors=True)
            for command in (
                [python, "-m", "venv", str(VENV)],
                [str(VENV / "bin" / "pip"), "install", "--quiet", PUBLISHED],
            ):
                ran = subprocess.run(
                    command, capture_output=True, text=True, timeout=INSTALLATION, check=False
                )
                if ran.returncode:
                    pytest.skip(f"{PUBLISHED} cannot be installed: {ran.stderr[-300:]}")
            done.touch()
    return str(VENV / "bin" / "python")


def find_python39() -> str | None:
    """A Python 3.9, from PATH or pyenv."""
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.9.*/bin/python"))
    for candidate in ("python3.9", *map(str, pyenv)):
        found = shutil.which(candidate)
        if found is not None:
            ran = subprocess.run(
                [found, "-c", "import ensurepip"], capture_output=True, check=False
            )
            if ran.returncode == 0:
                return found
    return None


class Node(NamedTuple):
    """A node: its worker, its folder and the port of its messages."""

    worker: ScriptedWorker
    folder: Path
    port: int

    def received(self) -> list[str]:
        """The messages that it has handled."""
        file = self.folder / "received"
        return file.read_text().splitlines() if file.exists() else []

    def wait_for(self, count: int) -> list[str]:
        """Wait until it has handled so many messages."""
        self.worker.wait_until(lambda: len(self.received()) >= count, 30, f"{count} messages")
        return self.received()


@pytest.fixture
def nodes(serve: Serve, published: str, tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """A function that starts a node, with our wrapper or the published one."""
    processes: list[subprocess.Popen[bytes]] = []
    workers: list[ScriptedWorker] = []

    def settings(port: int, encoding: str) -> dict[str, str]:
        return {
            "STORAGE_PROTOCOL": "v3",
            "DEFAULT_STORAGE": "fs",
            "BASE_FS_ADAPTER_DIRECTORY": str(tmp_path),
            "DISCOVERY_ENABLE": "false",
            "DISCOVERY_ENCODING": encoding,
            "STREAMING_DISCOVERY_PORT": str(port),
            "WORKER_ALGORITHM_ENCODING": "json",
        }

    def start(code: str, encoding: str, ours: bool) -> Node:
        port = free_port()
        if ours:
            session = serve({"main.py": code}, env=settings(port, encoding))
            return Node(session.worker, session.wrapper.work, port)
        folder = tmp_path / f"published-{len(processes)}"
        (folder / "algorithm_unique_folder").mkdir(parents=True)
        (folder / "algorithm_unique_folder" / "main.py").write_text(code)
        worker = ScriptedWorker()
        workers.append(worker)
        environment = {
            **os.environ,
            **settings(port, encoding),
            "WORKER_SOCKET_PORT": str(worker.port),
        }
        with (folder / "log").open("wb") as log:
            processes.append(
                subprocess.Popen(
                    [
                        published,
                        "-c",
                        "from hkube_python_wrapper import Algorunner; Algorunner.Run()",
                    ],
                    cwd=folder,
                    env=environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )
        worker.wait_connected(timeout=30)
        # The published wrapper works in the folder of the user's code.
        return Node(worker, folder / "algorithm_unique_folder", port)

    yield start
    for process in processes:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for worker in workers:
        worker.close()


@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
@pytest.mark.parametrize("sink", [SINK, STATELESS], ids=["stateful", "stateless"])
@pytest.mark.parametrize("ours", ["producer", "consumer"])
def test_messages_pass_between_our_wrapper_and_the_published_one(
    nodes: Callable[..., Node], encoding: str, sink: str, ours: str
) -> None:
    source = nodes(SOURCE, encoding, ours == "producer")
    target = nodes(sink, encoding, ours == "consumer")
    job: dict[str, Any] = {"kind": "stream", **FLOW}
    target.worker.begin(
        nodeName="B",
        parents=["A"],
        stateType="stateless" if sink is STATELESS else "stateful",
        **job,
        timeout=30,
    )
    source.worker.begin(COUNT, nodeName="A", childs=["B"], stateType="stateful", **job, timeout=30)
    address = {"host": "127.0.0.1", "port": source.port}
    target.worker.send(
        "serviceDiscoveryUpdate", [{"nodeName": "A", "address": address, "type": "Add"}]
    )
    assert target.wait_for(COUNT) == EXPECTED
    for _ in range(5):
        (report,) = source.worker.wait_for("streamingStatistics").data
        if report["responses"] == COUNT:
            break
    assert report["responses"] == COUNT
    assert report["nodeName"] == "B"
    assert (report["sent"], report["queueSize"], report["dropped"]) == (COUNT, 0, 0)
    assert len(target.received()) == COUNT
