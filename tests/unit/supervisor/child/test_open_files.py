"""File descriptors in reserve, and their limit; in a process of its own, whose limit is small."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from tests.paths import ROOT

HEAD = """
import errno, os, resource
from wrapper.supervisor.child import descendants
from wrapper.supervisor.child.open_files import OpenFiles

def limit():
    return resource.getrlimit(resource.RLIMIT_NOFILE)

def take_all():
    taken = []
    try:
        while True:
            taken.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        assert error.errno == errno.EMFILE
    return taken

resource.setrlimit(resource.RLIMIT_NOFILE, (60, 100))
files = OpenFiles()
"""


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", HEAD + textwrap.dedent(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_soft_limit_is_raised_and_a_new_process_gets_the_old_one() -> None:
    out = run(
        """
        print(limit())
        with files.inherited_limit():
            print(limit())
        print(limit())
        """
    )
    assert out.splitlines() == ["(100, 100)", "(60, 100)", "(100, 100)"]


def test_reserve_is_there_when_nothing_else_is_left() -> None:
    out = run(
        """
        taken = take_all()
        first = files.with_reserve(lambda: os.listdir("/proc/self/fd"))
        again = files.with_reserve(lambda: os.pipe())
        print(len(first) > 80, len(again), len(take_all()))
        """
    )
    assert out == "True 2 0"


def test_other_errors_are_not_retried() -> None:
    out = run(
        """
        calls = []
        try:
            files.with_reserve(lambda: calls.append(1) or os.open("/nowhere", os.O_RDONLY))
        except FileNotFoundError:
            print(len(calls))
        """
    )
    assert out == "1"


def test_descendants_are_killed_with_the_reserve() -> None:
    out = run(
        """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                                 start_new_session=True)
        taken = take_all()
        descendants.kill_all()  # without a descriptor it finds nothing, but does not raise
        files.release()
        descendants.kill_all()
        try:
            os.kill(child.pid, 0)
            print("alive")
        except ProcessLookupError:
            print("dead")
        """
    )
    assert out == "dead"
