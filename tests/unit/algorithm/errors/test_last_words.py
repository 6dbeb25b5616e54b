"""What the wrapper leaves behind when its own code in the algorithm process fails."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest

from tests.paths import ROOT
from wrapper.supervisor.child.crash_report import MemoryState, describe_death

SCRIPT = """
import os, sys
from wrapper.algorithm.errors.last_words import LastWords

fd = int(sys.argv[1])
words = LastWords(fd)
def fails():
    raise KeyError("no such thing")
try:
    fails()
except KeyError as error:
    if sys.argv[2] == "closed":
        os.close(fd)
    elif sys.argv[2] == "reused":
        os.dup2(1, fd)
    sys.modules.clear()
    words.leave(error)
"""


def leave(state: str) -> tuple[int, str, str]:
    """Return the exit code, what the file holds, and the output."""
    with tempfile.TemporaryFile() as file:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(file.fileno()), state],
            cwd=ROOT,
            pass_fds=[file.fileno()],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, os.pread(file.fileno(), 10_000, 0).decode(), done.stdout


def test_failure_is_told_apart_from_the_end_by_user_code() -> None:
    code, written, _ = leave("open")

    none = MemoryState(0, None)
    text = describe_death(code << 8, "older stacks\n" + written, none, none, "/nowhere")
    assert code == 70
    assert "failed in the wrapper's own code" in text
    assert "KeyError: 'no such thing'" in text
    assert "line 8, in fails" in text
    assert "os._exit()" not in text


@pytest.mark.parametrize("state", ["closed", "reused"])
def test_nothing_is_written_to_a_file_of_the_user(state: str) -> None:
    assert leave(state) == (70, "", "")
