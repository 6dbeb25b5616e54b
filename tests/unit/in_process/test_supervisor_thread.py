"""The algorithm side in this process."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from wrapper.in_process import serve
from wrapper.in_process.supervisor_thread import LocalAlgorithm
from wrapper.log import Log
from wrapper.supervisor.child.crash_report import user_frames
from wrapper.supervisor.child.process import Channel


@pytest.fixture
def local() -> Iterator[LocalAlgorithm]:
    ours, theirs = socket.socketpair()
    with theirs:
        local = LocalAlgorithm(Channel(ours, ours.dup()), Log("error", "short"))
        yield local
        local.channel.close()


def test_stacks_show_only_user_code(local: LocalAlgorithm) -> None:
    found: Future[str] = Future()

    def ask() -> None:
        found.set_result(local.stacks(ask=True))

    def start() -> None:
        threading.Thread(target=ask).start()
        found.result(10)

    # Stands for `serve_in_process`, which calls the host, which calls user code.
    space: dict[str, Any] = {}
    exec(compile("def serve(start):\n    start()", serve.__file__, "exec"), space)
    space["serve"](start)
    frames = user_frames(found.result(), os.path.dirname(os.path.dirname(serve.__file__)))
    assert "test_supervisor_thread.py" in frames
    assert "in start" in frames
    assert "site-packages" not in frames  # pytest, which has called all this
    assert local.stacks(ask=False) == ""
