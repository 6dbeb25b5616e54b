"""The fixture that connects a worker and the wrapper, and checks the rules at the end."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from tests.free_ports import free_port

from .harness.process import WrapperProcess, install
from .harness.stream_node import StreamNode
from .harness.worker import ScriptedWorker


class Session(NamedTuple):
    """A worker and the wrapper that serves it."""

    worker: ScriptedWorker
    wrapper: WrapperProcess


class Serve(Protocol):
    """Starts the wrapper with a user's algorithm; the defaults are the plain case."""

    def __call__(
        self,
        algorithm: str | Mapping[str, str],
        *,
        env: Mapping[str, str | None] | None = None,
        into: str = ".",
        arguments: Sequence[str] = ("-m", "wrapper"),
        connect: bool = True,
        listening: bool = True,
        max_size: int = 100_000_000,
        tls: ssl.SSLContext | None = None,
    ) -> Session: ...


_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test has failed: broken rules would then only distract."""
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


PROTOCOLS: dict[str, dict[str, str]] = {
    "ws": {},
    "socketio": {"WORKER_ALGORITHM_PROTOCOL": "socket"},
}
both_protocols = pytest.mark.parametrize("protocol", ["ws", "socketio"])


@pytest.fixture
def protocol() -> str:
    """How the wrapper reaches the worker; `both_protocols` runs a test once for each way."""
    return "ws"


@pytest.fixture
def serve(tmp_path: Path, request: pytest.FixtureRequest, protocol: str) -> Iterator[Serve]:
    """Start sessions; after the test, end them all and check the rules."""
    sessions: list[Session] = []

    def start(
        algorithm: str | Mapping[str, str],
        *,
        env: Mapping[str, str | None] | None = None,
        into: str = ".",
        arguments: Sequence[str] = ("-m", "wrapper"),
        connect: bool = True,
        listening: bool = True,
        max_size: int = 100_000_000,
        tls: ssl.SSLContext | None = None,
    ) -> Session:
        folder = tmp_path / f"session-{len(sessions)}"
        install(algorithm, folder / "work" / into)
        worker = ScriptedWorker(listening=listening, max_size=max_size, tls=tls)
        settings = {
            name: value.replace("{port}", str(worker.port)) if value else value
            for name, value in {**PROTOCOLS[protocol], **(env or {})}.items()
        }
        wrapper = WrapperProcess(folder, worker.port, settings, arguments)
        session = Session(worker, wrapper)
        sessions.append(session)
        worker.is_over = lambda: None if wrapper.is_running else wrapper.story()
        if connect:
            worker.wait_connected()
        return session

    yield start
    faults = [fault for session in sessions for fault in _end(session)]
    if faults and not request.node.stash.get(_failed, False):
        pytest.fail("the standing rules were broken:\n" + "\n".join(faults), pytrace=False)


@pytest.fixture
def node(serve: Serve, tmp_path: Path) -> Callable[..., StreamNode]:
    """A function that makes a node."""
    folder = tmp_path / "storage"
    folder.mkdir()

    def make(name: str, code: str, port: int | None = None, **env: str) -> StreamNode:
        port = port or free_port()
        settings = {
            "STORAGE_PROTOCOL": "v3",
            "DEFAULT_STORAGE": "fs",
            "BASE_FS_ADAPTER_DIRECTORY": str(folder),
            "DISCOVERY_ENABLE": "false",
            "STREAMING_DISCOVERY_PORT": str(port),
            **env,
        }
        return StreamNode(*serve({"main.py": code}, env=settings), name, port)

    return make


def _end(session: Session) -> list[str]:
    """End a session; check the rules first, while the connection is as the test left it."""
    faults = session.worker.broken_rules()
    faults += session.wrapper.finish()
    session.worker.close()
    if faults:
        faults.append(session.worker.story())
        faults.append(session.wrapper.story())
    return faults
