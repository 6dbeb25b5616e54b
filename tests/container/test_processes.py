"""Processes in the container: orphans are reaped, nothing outlives it, health is reported."""

from __future__ import annotations

import json
import time

import pytest

from .conftest import IMAGE, Run, Serve
from .engine import Container, Engine

# A daemon: its parent ends, another process adopts it, and it ends shortly after.
LEAVES_ORPHANS = """\
import os, time

def start(args):
    for _ in range(20):
        if os.fork() == 0:
            if os.fork() == 0:
                time.sleep(0.2)
            os._exit(0)
        os.wait()
    time.sleep(1)
    return 1
"""
STATES = """\
import os
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        text = open(f"/proc/{pid}/stat").read()
    except OSError:
        continue
    state, parent = text.rpartition(")")[2].split()[:2]
    if int(pid) != os.getpid():
        print(pid, state, parent)
"""


@pytest.fixture(params=["with a log", "without"])
def options(request: pytest.FixtureRequest) -> list[str]:
    """With a log, process 1 copies the output; without, it is the supervisor."""
    return [] if request.param == "with a log" else ["--read-only"]


def processes(container: Container) -> dict[int, str]:
    """Return the id and state of every process in a container."""
    lines = container.execute("python3", "-c", STATES).stdout.splitlines()
    return {int(line.split()[0]): line.split()[1] for line in lines}


def test_orphans_are_reaped(serve: Serve, options: list[str]) -> None:
    session = serve({"main.py": LEAVES_ORPHANS}, options=options)
    before = processes(session.container)
    assert session.worker.run(timeout=20) == 1

    after = processes(session.container)
    assert set(after) == set(before)
    assert "Z" not in after.values()


def test_who_is_process_1(serve: Serve) -> None:
    copying = serve("echo").container
    assert "process_one.py" in copying.execute("cat", "/proc/1/cmdline").stdout
    plain = serve("echo", options=["--read-only"]).container
    assert "hkube-wrapper" in plain.execute("cat", "/proc/1/cmdline").stdout
    assert len(processes(plain)) == 2, "supervisor and algorithm, and no shell that waits"


# ---------------------------------------------------------------------------------- health --
def health(engine: Engine, container: Container) -> tuple[int, str, float]:
    """Run the image's HEALTHCHECK; return its exit code, text and seconds."""
    config = engine.inspect(IMAGE)["Config"]
    test = (config.get("Healthcheck") or engine.inspect(IMAGE)["Healthcheck"])["Test"]
    assert test[0] == "CMD", test
    began = time.monotonic()
    done = container.execute(*test[1:], check=False)
    return done.returncode, done.stdout.strip(), time.monotonic() - began


def test_health_idle_and_working(engine: Engine, serve: Serve, options: list[str]) -> None:
    session = serve("holds_gil_forever", options=options)
    assert health(engine, session.container)[:2] == (0, "healthy")
    session.worker.begin("stick")
    assert health(engine, session.container)[:2] == (0, "healthy"), "whatever the algorithm does"


def test_hanging_supervisor_is_unhealthy(engine: Engine, serve: Serve) -> None:
    container = serve("echo", options=["--read-only"]).container
    container.signal("STOP")  # process 1, from outside
    code, text, seconds = health(engine, container)
    assert (code, text) == (1, "unhealthy: the wrapper's loop has not answered for 3 s")
    assert seconds < 5, "HEALTHCHECK's own limit"
    container.signal("CONT")
    assert health(engine, container)[:2] == (0, "healthy")


def test_missing_supervisor_is_unhealthy(engine: Engine, run: Run) -> None:
    container = run("sleep", "60")
    container.wait_until(
        lambda: (
            health(engine, container)[:2]
            == (1, "unhealthy: no wrapper is running in this container")
        ),
        "answer",
    )


def test_containers_on_one_network_report_separate_health(engine: Engine, serve: Serve) -> None:
    first = serve("echo", options=["--read-only"]).container
    second = serve("echo", options=["--read-only"]).container
    first.signal("STOP")

    assert health(engine, first)[0] == 1
    assert health(engine, second)[0] == 0
    first.signal("CONT")


def test_idle_container_rarely_wakes_up(serve: Serve) -> None:
    container = serve("echo").container

    def switches() -> int:
        script = (
            "import json, os\n"
            "print(json.dumps({p: [int(l.split()[1]) for l in open(f'/proc/{p}/status') "
            "if l.startswith('voluntary')][0] for p in os.listdir('/proc') if p.isdigit() "
            "and int(p) != os.getpid()}))"
        )
        return sum(json.loads(container.execute("python3", "-c", script).stdout).values())

    before = switches()
    time.sleep(3)
    assert switches() - before <= 3
