"""SIGTERM from Kubernetes: the container ends within 10 s with code 143 in every case."""

from __future__ import annotations

import time

import pytest

from .conftest import Run, Serve, Session

SLEEPS = "import time\n\n\ndef start(args):\n    time.sleep(600)\n"
LONGEST = 10.0


def terminate(session: Session) -> float:
    """Send SIGTERM and return the seconds until the container ends."""
    began = time.monotonic()
    session.container.signal("TERM")
    assert session.container.wait() == 143
    return time.monotonic() - began


# With a log folder, process 1 copies the output; without, it is the supervisor.
@pytest.fixture(params=["with a log", "without"])
def options(request: pytest.FixtureRequest) -> list[str]:
    return [] if request.param == "with a log" else ["--read-only"]


def test_idle(serve: Serve, options: list[str]) -> None:
    session = serve("cleans_up", options=options)

    assert terminate(session) < LONGEST


def test_working(serve: Serve, options: list[str]) -> None:
    session = serve({"main.py": SLEEPS}, options=options)
    session.worker.begin()

    assert terminate(session) < LONGEST
    # HKube's worker would take a final message for the task's success, and not run it again.
    assert not {"stopped", "done", "errorMessage"} & set(session.worker.commands())


def test_stuck(serve: Serve, options: list[str]) -> None:
    session = serve("holds_gil_forever", options=options)
    session.worker.begin("stick")

    assert terminate(session) < LONGEST
    # HKube's worker would take a final message for the task's success, and not run it again.
    assert not {"stopped", "done", "errorMessage"} & set(session.worker.commands())


def test_any_other_program(run: Run) -> None:
    container = run("sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done")
    container.wait_until(lambda: "ready" in container.stdout, "start")
    container.signal("TERM")

    assert container.wait() == 9
