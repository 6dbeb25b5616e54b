"""Nodes of streaming pipelines that run our wrapper, or one of HKube's published ones."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness.worker import ScriptedWorker
from tests.free_ports import free_port
from tests.paths import ROOT

from .conftest import FOLDER, REQUIRED

PUBLISHED = "hkube-python-wrapper==2.6.0.dev27"
INSTALLATION = 300.0
VENV = ROOT / ".venv-published"
OURS, PYTHON, NODE = "ours", "python", "node"

# The wrapper needs zeromq 5, which has no binary for current versions of node.
_RUN_NODE = """
require.cache[require.resolve('zeromq')] = {
    id: 'zeromq', filename: 'zeromq', loaded: true, exports: require('zeromq/v5-compat'),
};
require('@hkube/nodejs-wrapper').run();
"""
_RUN = {
    PYTHON: ("-c", "from hkube_python_wrapper import Algorunner; Algorunner.Run()"),
    NODE: ("-e", _RUN_NODE),
}
_FILES = {PYTHON: "main.py", NODE: "index.js"}

SOURCE = {
    PYTHON: """
import os, time

def start(args, hkube_api):
    for number in range(args["input"][0]):
        hkube_api.sendMessage({"number": number, "bytes": b"\\x00\\xff", "text": "\\u2603"})
    while not os.path.exists("end"):
        time.sleep(0.05)
""",
    NODE: """
const fs = require('fs');

module.exports.start = async (args, hkubeApi) => {
    for (let number = 0; number < args.input[0]; number += 1) {
        hkubeApi.sendMessage({ number, bytes: Buffer.from([0, 255]), text: '\\u2603' });
    }
    while (!fs.existsSync('end')) await new Promise(done => setTimeout(done, 50));
};
""",
}
SINK = {
    PYTHON: """
import time

def start(args, hkube_api):
    def on_message(message, origin):
        with open("received", "a") as file:
            file.write("%s %s %s\\n" % (origin, message["number"], bytes(message["bytes"]).hex()))

    hkube_api.registerInputListener(on_message)
    hkube_api.startMessageListening()
    while True:
        time.sleep(0.05)
""",
    NODE: """
const fs = require('fs');

module.exports.start = async (args, hkubeApi) => {
    hkubeApi.registerInputListener(({ payload, origin }) => {
        const bytes = Buffer.from(payload.bytes).toString('hex');
        fs.appendFileSync('received', `${origin} ${payload.number} ${bytes}\\n`);
    });
    hkubeApi.startMessageListening();
    await new Promise(() => {});
};
""",
}
STATELESS = {
    PYTHON: """
def start(args, hkube_api):
    message = args["streamInput"]["message"]
    with open("received", "a") as file:
        file.write("%s %s %s\\n" % (
            args["streamInput"]["origin"], message["number"], bytes(message["bytes"]).hex()
        ))
""",
    NODE: """
const fs = require('fs');

module.exports.start = async ({ streamInput }) => {
    const { message, origin } = streamInput;
    const bytes = Buffer.from(message.bytes).toString('hex');
    fs.appendFileSync('received', `${origin} ${message.number} ${bytes}\\n`);
};
""",
}
"""What a node runs, by wrapper; ours runs the Python code."""


class StreamNode(NamedTuple):
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

    def begin(self, *inputs: Any, **job: Any) -> None:
        """Start its task."""
        self.worker.begin(*inputs, **job, timeout=30)

    def know(self, parent: StreamNode, change: str = "Add") -> None:
        """Report that a pod of the parent came or went."""
        address = {"host": "127.0.0.1", "port": parent.port}
        self.worker.send(
            "serviceDiscoveryUpdate", [{"nodeName": "A", "address": address, "type": change}]
        )


class StreamNodes:
    """Starts nodes, and ends them all at the end of a test.

    Args:
        serve: starts our wrapper.
        published: the interpreter of each published wrapper.
        folder: of the test.
    """

    def __init__(self, serve: Serve, published: dict[str, str], folder: Path) -> None:
        self._serve = serve
        self._published = published
        self._folder = folder
        self._processes: dict[StreamNode, subprocess.Popen[bytes]] = {}

    def start(
        self, wrapper: str, code: dict[str, str], encoding: str, port: int | None = None
    ) -> StreamNode:
        """Start a node and wait until it is connected to its worker.

        Args:
            wrapper: `OURS`, `PYTHON` or `NODE`.
            code: what it runs, by wrapper.
            encoding: between nodes.
            port: of its messages; None picks a free one.
        """
        port = port or free_port()
        settings = {
            "STORAGE_PROTOCOL": "v3",
            "DEFAULT_STORAGE": "fs",
            "BASE_FS_ADAPTER_DIRECTORY": str(self._folder),
            "DISCOVERY_ENABLE": "false",
            "DISCOVERY_ENCODING": encoding,
            "STREAMING_DISCOVERY_PORT": str(port),
            "WORKER_ALGORITHM_ENCODING": "json",
        }
        if wrapper == OURS:
            session = self._serve({"main.py": code[PYTHON]}, env=settings)
            return StreamNode(session.worker, session.wrapper.work, port)
        folder = self._folder / f"published-{len(self._processes)}"
        algorithm = folder / "algorithm_unique_folder"
        algorithm.mkdir(parents=True)
        (algorithm / _FILES[wrapper]).write_text(code[wrapper])
        # A library of the Node.js wrapper reads it.
        (folder / "package.json").write_text('{"name": "algorithm", "version": "1.0.0"}')
        worker = ScriptedWorker()
        environment = {
            **os.environ,
            **settings,
            "WORKER_SOCKET_PORT": str(worker.port),
            "NODE_PATH": str(FOLDER / "node_modules"),
        }
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [self._published[wrapper], *_RUN[wrapper]],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # The published wrappers work in the folder of the user's code.
        node = StreamNode(worker, algorithm, port)
        self._processes[node] = process
        worker.wait_connected(timeout=30)
        return node

    def kill(self, node: StreamNode) -> None:
        """Kill a node of a published wrapper."""
        process = self._processes[node]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        """End all nodes of published wrappers."""
        for node, process in self._processes.items():
            if process.poll() is None:
                self.kill(node)
            node.worker.close()


def install_published_python() -> str:
    """Return the interpreter of a virtual environment with the published Python wrapper."""
    python = _find_python39()
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


def _find_python39() -> str | None:
    """Find a Python 3.9 in PATH or among pyenv's."""
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
