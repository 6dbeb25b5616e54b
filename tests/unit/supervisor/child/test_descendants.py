"""Killing and reaping descendants, with real processes: only the kernel knows the rules."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import psutil
import pytest

from tests.paths import ROOT

LIMIT = 30.0

# Each script runs in a separate process: adopting orphans cannot be undone, and `reap` takes any
# child.
HEAD = """
import os, signal, sys, subprocess
from wrapper.supervisor.child import descendants

SLEEP = "import sys, time; print('up', flush=True); time.sleep(600)"

def sleeper():
    "Start a process that sleeps."
    process = subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process

def daemon():
    "Start a sleeping process that leaves its session and parent; return its id."
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writing, str(os.getpid()).encode())
            signal.pause()
        os._exit(0)
    os.waitpid(pid, 0)
    return int(os.read(reading, 100))
"""


def run(script: str) -> str:
    """Run a script in a separate process; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", HEAD + textwrap.dedent(script)],
        cwd=str(ROOT),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def ended() -> Iterator[list[int]]:
    """Process ids that must be gone; the fixture kills those that are not."""
    pids: list[int] = []
    yield pids
    left = [pid for pid in pids if is_alive(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left
    assert pids


def test_daemon_in_its_own_session_is_killed(ended: list[int]) -> None:
    out = run(
        """
        descendants.adopt_orphans()
        print(daemon(), daemon())
        descendants.kill_all()
        """
    )
    ended += map(int, out.split())


def test_children_and_grandchildren_are_killed(ended: list[int]) -> None:
    out = run(
        """
        descendants.adopt_orphans()
        child = sleeper()
        reading, writing = os.pipe()
        if os.fork() == 0:
            grandchild = sleeper()
            os.write(writing, b"%d" % grandchild.pid)
            signal.pause()
        print(child.pid, int(os.read(reading, 100)))
        descendants.kill_all()
        """
    )
    ended += map(int, out.split())


def test_process_that_ignores_sigterm_is_killed(ended: list[int]) -> None:
    out = run(
        """
        descendants.adopt_orphans()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(daemon())
        descendants.kill_all()
        """
    )
    ended += map(int, out.split())


def test_process_that_keeps_forking_is_killed() -> None:
    out = run(
        """
        import time
        descendants.adopt_orphans()
        reading, writing = os.pipe()
        begun = time.monotonic()
        if os.fork() == 0:
            os.setsid()
            while time.monotonic() < begun + 10:  # each one starts a successor and exits
                if os.fork():
                    os.write(writing, b"x")
                    os._exit(0)
            os._exit(0)
        for _ in range(20):
            os.read(reading, 1)
        os.close(writing)
        descendants.kill_all()
        while os.read(reading, 4096):
            pass  # until the other end is closed
        print(time.monotonic() < begun + 10)
        """
    )
    assert out == "True\n"


def test_unrelated_processes_survive() -> None:
    bystander = subprocess.Popen(
        [sys.executable, "-c", "print('up', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with bystander:
        assert bystander.stdout
        bystander.stdout.readline()
        run("descendants.adopt_orphans(); daemon(); descendants.kill_all()")

        assert bystander.poll() is None
        bystander.communicate(b"\n")


def test_reap_returns_process_ids_and_statuses() -> None:
    out = run(
        """
        pids = [os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-c", code])
                for code in ("", "import os; os._exit(7)", "import os; os.kill(os.getpid(), 9)")]
        for pid in pids:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        ended = dict(descendants.reap())
        print([os.waitstatus_to_exitcode(ended[pid]) for pid in pids], descendants.reap())
        """
    )
    assert out == "[0, 7, -9] []\n"


def test_living_processes_are_not_reaped() -> None:
    out = run(
        """
        child = sleeper()
        print(descendants.reap())
        child.kill()
        child.wait()
        """
    )
    assert out == "[]\n"


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux")
def test_orphans_are_adopted_and_reaped() -> None:
    out = run(
        """
        descendants.adopt_orphans()
        orphan = daemon()
        os.kill(orphan, 9)
        os.waitid(os.P_PID, orphan, os.WEXITED | os.WNOWAIT)
        print([pid == orphan for pid, _ in descendants.reap()])
        """
    )
    assert out == "[True]\n"
