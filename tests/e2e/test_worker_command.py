"""`hkube-wrapper worker`: tasks for an algorithm that was started separately."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness.process import REPOSITORY, install

LIMIT = 60.0


class Started:
    """The commands of a test; all are ended after it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[str]] = []

    def command(self, *arguments: str, cwd: Path, **environ: str) -> subprocess.Popen[str]:
        """Start hkube-wrapper."""
        paths = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "hkube_python_wrapper" / "_launch.py"), *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": paths, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def algorithm(self, name: str, port: int) -> subprocess.Popen[str]:
        """Serve an algorithm of tests/algorithms."""
        folder = self.folder / name
        install(name, folder)
        return self.command(cwd=folder, WORKER_SOCKET_PORT=str(port))

    def end(self) -> None:
        """End all commands."""
        for process in self._processes:
            process.kill()
            process.communicate(timeout=LIMIT)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    commands = Started(tmp_path)
    yield commands
    commands.end()


@pytest.fixture
def port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_tasks_in_sequence_then_exit(started: Started, port: int) -> None:
    worker = started.command(
        *("worker", "--port", str(port), "--input", "[1]", "--input", "[2]"), cwd=started.folder
    )
    algorithm = started.algorithm("one_argument", port)
    out, err = worker.communicate(timeout=LIMIT)

    assert (worker.returncode, out) == (0, "1\n2\n")
    assert f"waiting for an algorithm on 127.0.0.1:{port}" in err
    assert algorithm.wait(LIMIT) == 0


def test_failing_task(started: Started, port: int) -> None:
    worker = started.command(
        *("worker", "--port", str(port), "--json", "--input", "[]"), cwd=started.folder
    )
    algorithm = started.algorithm("one_argument", port)
    out, _ = worker.communicate(timeout=LIMIT)

    assert worker.returncode == 1
    assert json.loads(out)["status"] == "failed"
    assert algorithm.wait(LIMIT) == 0


def test_occupied_port(started: Started) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        worker = started.command("worker", "--port", str(port), cwd=started.folder)
        out, err = worker.communicate(timeout=LIMIT)

    assert (worker.returncode, out) == (2, "")
    assert f"error: another program uses port {port} of 127.0.0.1: choose another one" in err
    assert err.count("\n") == 1


def test_invalid_input(started: Started) -> None:
    worker = started.command("worker", "--input", "{", cwd=started.folder)
    _, err = worker.communicate(timeout=LIMIT)

    assert worker.returncode == 2
    assert err.startswith("error: --input is not valid JSON")


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_interrupted_while_waiting(started: Started, port: int, name: str, code: int) -> None:
    worker = started.command("worker", "--port", str(port), cwd=started.folder)
    assert worker.stderr is not None
    assert "waiting" in worker.stderr.readline()
    worker.send_signal(signal.Signals[name])

    assert worker.wait(LIMIT) == code
