"""Telling how an algorithm process died: in the log, and where Kubernetes shows it."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import wrapper
from wrapper.log import Log
from wrapper.supervisor.child.crash import CrashReporter

PACKAGE = os.path.dirname(os.path.abspath(wrapper.__file__))
STACKS = f"""Current thread 0x1 (most recent call first):
  File "/hkube/main.py", line 12 in inner
  File "{PACKAGE}/algorithm/host.py", line 213 in _call
"""


class Logged:
    """A log, and what it holds."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self.log = Log("debug", fd=self._file.fileno())

    @property
    def text(self) -> str:
        return os.pread(self._file.fileno(), 100_000, 0).decode()

    def close(self) -> None:
        self._file.close()


@pytest.fixture
def logged() -> Iterator[Logged]:
    logged = Logged()
    yield logged
    logged.close()


def test_a_crash_is_logged_and_left_for_kubernetes(logged: Logged, tmp_path: Path) -> None:
    path = tmp_path / "termination-log"

    CrashReporter(logged.log, str(path)).crashed(int(signal.SIGSEGV), STACKS)

    for text in (logged.text, path.read_text()):
        assert "the algorithm process was ended by signal 11 (SIGSEGV)" in text
        assert 'File "/hkube/main.py", line 12 in inner' in text
        assert "host.py" not in text
    assert "ERROR" in logged.text


def test_no_file_is_made_in_dev(logged: Logged) -> None:
    path = "/dev/hkube-wrapper-test-termination-log"

    CrashReporter(logged.log, path).crashed(9, "")

    assert not os.path.exists(path)
    assert "SIGKILL" in logged.text


def test_a_stuck_algorithm_is_shown_where_it_is(logged: Logged) -> None:
    CrashReporter(logged.log, "/dev/null").stuck(STACKS)

    assert "where the algorithm is stuck" in logged.text
    assert 'File "/hkube/main.py", line 12 in inner' in logged.text
    assert "host.py" not in logged.text


def test_a_stuck_algorithm_without_a_stack(logged: Logged) -> None:
    CrashReporter(logged.log, "/dev/null").stuck("")

    assert "no Python stack" in logged.text
