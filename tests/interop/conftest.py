"""Runs HKube's own packages in node, next to the wrapper, as real processes."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest

from tests.e2e.conftest import protocol, pytest_runtest_makereport, serve
from tests.s3_server import KEY, SECRET, S3Server

__all__ = ["protocol", "pytest_runtest_makereport", "serve"]

FOLDER = Path(__file__).parent
REQUIRED = "HKUBE_INTEROP"  # "required": fail if the tests cannot run
LIMIT = 60.0  # seconds; the peer answers at once or within its own timeouts of a few seconds
INSTALLATION = 240.0

NewPeer = Callable[..., "Peer"]


def missing(reason: str) -> None:
    """Skip the tests, or fail where they must run."""
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(f"{reason} ({REQUIRED}=required)", pytrace=False)
    pytest.skip(f"{reason}; HKube's own packages need node")


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Install the packages and return the path of node."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        missing("node or npm is not installed")
    assert found is not None and npm is not None
    lock = FOLDER / "package-lock.json"
    done = FOLDER / "node_modules" / ".installed"
    # One process of pytest-xdist installs; the others wait.
    with (FOLDER / "package.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != lock.read_text():
            with NamedTemporaryFile(
                "w+"
            ) as log:  # not a pipe, which children of npm might keep open
                command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
                try:
                    subprocess.run(
                        command,
                        cwd=FOLDER,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        timeout=INSTALLATION,
                        check=True,
                    )
                except subprocess.SubprocessError as error:
                    log.seek(0)
                    missing(f"{error}: {log.read().strip()[-500:]}")
            done.write_text(lock.read_text())
    return found


class PeerError(AssertionError):
    """HKube's packages raised an error."""


class Peer:
    """A node process that runs HKube's packages.

    Args:
        node: Path of node.
        options: Options of peer.js.
        log: File for its output.
    """

    def __init__(self, node: str, options: dict[str, Any], log: Path) -> None:
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [node, str(FOLDER / "peer.js"), json.dumps(options)],
                cwd=FOLDER,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )

    def ask(self, request: str, **arguments: Any) -> Any:
        """Send a request and return the answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"request": request, **arguments}) + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], LIMIT)[0]:
            raise PeerError(f"no answer to {request} in {LIMIT:.0f} s:\n{self._log.read_text()}")
        line = self._process.stdout.readline()
        if not line:
            raise PeerError(f"node has ended:\n{self._log.read_text()[-3000:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return from_wire(answer.get("value"))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.terminate()
        self._process.wait(10)


def to_wire(value: Any) -> Any:
    """Convert bytes to a form that JSON can carry."""
    return {"$raw": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def from_wire(value: Any) -> Any:
    """Convert that form back to bytes."""
    if isinstance(value, dict) and "$raw" in value:
        return base64.b64decode(value["$raw"])
    return [from_wire(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    server = S3Server("local-hkube")
    yield server
    server.close()


@pytest.fixture
def new_peer(node: str, tmp_path: Path, s3: S3Server) -> Iterator[NewPeer]:
    """Start node processes for a storage and an encoding."""
    peers: list[Peer] = []

    def start(storage: str, encoding: str) -> Peer:
        options = {
            "storage": storage,
            "encoding": encoding,
            "clusterName": "local",
            "folder": str(tmp_path / "storage"),
            "url": s3.url,
            "key": KEY,
            "secret": SECRET,
        }
        (tmp_path / "storage").mkdir(exist_ok=True)
        peers.append(Peer(node, options, tmp_path / f"node-{len(peers)}.log"))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()
