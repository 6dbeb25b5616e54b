"""Tasks of one algorithm, one after the other."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from wrapper.local.run.container import AlgorithmContainer
from wrapper.local.run.session import Session, run_in_container
from wrapper.local.source.source import open_algorithm
from wrapper.local.worker import events
from wrapper.local.worker.worker import LocalWorker


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Return a port on which connections are never answered."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_task_that_ends_before_the_connection(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("def start(args, api): return 1\n")
    ended: list[events.Outcome] = []
    said: list[str] = []

    def note(job: Any, outcome: events.Outcome, code: int | None) -> None:
        ended.append(outcome)

    session = Session([{"taskId": "t"}], 0.001, lambda job: None, note, said.append)
    with (
        open_algorithm(tmp_path) as source,
        LocalWorker() as worker,
        AlgorithmContainer(source, worker.port, os.environ) as container,
    ):
        assert run_in_container(session, worker, container) == 1
        assert container.wait(0) == 0  # it received `exit`
    assert ended == [events.Stopped()]
    assert said == ["not finished after 0.001 s (--timeout): stopping it"]


def test_ctrl_c_before_the_connection(tmp_path: Path, silent_port: int) -> None:
    (tmp_path / "main.py").write_text("def start(args, api): return 1\n")
    said: list[str] = []

    def interrupt(job: Any) -> NoReturn:
        raise KeyboardInterrupt

    session = Session([{"taskId": "t"}], None, interrupt, lambda *ended: None, said.append)
    with (
        open_algorithm(tmp_path) as source,
        LocalWorker() as worker,
        AlgorithmContainer(source, silent_port, os.environ) as container,
    ):
        assert run_in_container(session, worker, container) == 130
        assert container.wait(0) is not None
    assert said == ["stopping; Ctrl-C again ends at once"]
