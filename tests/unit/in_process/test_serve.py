"""Supervisor and algorithm in one process: what can be seen of it from within."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from wrapper.in_process import serve
from wrapper.in_process.serve import LocalAlgorithm
from wrapper.log import Log
from wrapper.supervisor.child.crash_report import user_frames
from wrapper.supervisor.child.process import Channel

ROOT = Path(serve.__file__).parents[2]


@pytest.fixture
def local() -> Iterator[LocalAlgorithm]:
    ours, theirs = socket.socketpair()
    with theirs:
        local = LocalAlgorithm(Channel(ours, ours.dup()), Log("error", "short"))
        yield local
        local.channel.close()


def test_the_stacks_are_those_of_user_code(local: LocalAlgorithm) -> None:
    told: Future[str] = Future()

    def ask() -> None:
        told.set_result(local.stacks(ask=True))

    def start() -> None:
        threading.Thread(target=ask).start()
        told.result(10)

    # Stands for `serve_in_process`, which calls the host, which calls user code.
    space: dict[str, Any] = {}
    exec(compile("def serve(start):\n    start()", serve.__file__, "exec"), space)
    space["serve"](start)
    frames = user_frames(told.result(), os.path.dirname(os.path.dirname(serve.__file__)))
    assert "test_serve.py" in frames
    assert "in start" in frames
    assert "site-packages" not in frames  # pytest, which has called all this
    assert local.stacks(ask=False) == ""


@pytest.mark.parametrize("daemon", [True, False])
def test_threads_that_are_left(daemon: bool) -> None:
    code = (
        f"import sys, threading; sys.path.insert(0, {str(ROOT)!r})\n"
        "from wrapper.in_process.serve import leave_threads\n"
        f"threading.Thread(target=threading.Event().wait, daemon={daemon}).start()\n"
        "print('printed')\n"
        "code = leave_threads(5)\n"
        "print('returned')\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 5
    assert done.stdout == ("printed\nreturned\n" if daemon else "printed\n")
