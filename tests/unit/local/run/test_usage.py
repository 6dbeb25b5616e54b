"""What a process and its children use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wrapper.local.run.usage import usage_of

BUSY = """
import subprocess, sys
code = "held = b'x' * 60_000_000\\nfor _ in range(3_000_000): pass\\nprint(1, flush=True)\\ninput()"
subprocess.run([sys.executable, "-c", code])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_children_are_counted() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdout.readline()
    usage = usage_of(process.pid)
    process.communicate(b"\n")
    assert usage.memory > 60_000_000
    assert usage.cpu > 0.02
    assert usage_of(process.pid) == (0.0, 0)
