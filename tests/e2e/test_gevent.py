"""Algorithms that gevent patches on their first line."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from wrapper.testing import HKube

from .conftest import Serve

pytest.importorskip("gevent", reason="gevent is not installed (requirements-dev.txt)")

MAIN = """
from gevent import monkey; monkey.patch_all()
import pathlib, threading, time

import gevent

def start(args, api):
    api.progress(1)
    return KINDS[args["input"][0]](api)

def threads(api):
    done = []
    user_threads = [threading.Thread(target=done.append, args=(number,)) for number in (1, 2)]
    for each in user_threads:
        each.start()
    for each in user_threads:
        each.join()
    time.sleep(0.01)
    return done

def sleeps(api):
    time.sleep(600)

def spins(api):
    while not api.stop_requested:
        gevent.sleep(0.01)
    pathlib.Path("ended").touch()

def calls(api):
    return api.start_algorithm("other", [1])

def future(api):
    return api.start_algorithm("other", [1], blocking=False).result()

KINDS = {each.__name__: each for each in (threads, sleeps, spins, calls, future)}
"""
IN_TEST = """
def start(args):
    return 1
"""


def test_tasks_and_their_threads(serve: Serve) -> None:
    worker, _ = serve({"main.py": MAIN})
    assert [worker.run("threads") for _ in range(2)] == [[1, 2], [1, 2]]


@pytest.mark.parametrize("kind", ["calls", "future"])
def test_calls_are_answered(serve: Serve, kind: str) -> None:
    worker, _ = serve({"main.py": MAIN})
    worker.initialize(kind)
    worker.expect("initialized")
    worker.send("start", {})
    call = worker.wait_for("startAlgorithmExecution").data
    answer = {"execId": call["execId"], "response": 7}
    worker.send("algorithmExecutionDone", answer)
    assert worker.wait_for("done").data == 7


@pytest.mark.parametrize("kind", ["sleeps", "spins"])
def test_stop(serve: Serve, kind: str) -> None:
    worker, wrapper = serve({"main.py": MAIN})
    worker.initialize(kind)
    worker.expect("initialized")
    worker.send("start", {})
    worker.wait_for("progress")
    worker.send("stop", {"forceStop": True})
    worker.wait_for("stopped", timeout=10)
    assert "Traceback" not in wrapper.stderr
    assert worker.run("threads") == [1, 2]


def test_in_process_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(MAIN)
    command = [sys.executable, "-m", "wrapper", "run", "--in-process", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "run the algorithm without --in-process" in ran.stderr


def test_fixture_refuses_the_patches_and_goes_on(tmp_path: Path, hkube: HKube) -> None:
    (tmp_path / "main.py").write_text(MAIN)
    error = hkube.run(tmp_path / "main.py").error
    assert error is not None
    assert "isolated=True" in error.message
    other = tmp_path / "other.py"
    other.write_text(textwrap.dedent(IN_TEST))
    assert hkube.run(other).result == 1
    ran = hkube.run(tmp_path / "main.py", input=["threads"], isolated=True)
    assert ran.result == [1, 2]
