"""The peak memory of a container's processes."""

from __future__ import annotations

import os
import subprocess
import sys

from wrapper.local.run.memory import own_peak, peak_of

MIB = 1024**2


def usage_of(code: str) -> tuple[int | None, int]:
    """Return a process's peak, and this process's peak before it."""
    process = subprocess.Popen([sys.executable, "-c", code])
    before = own_peak()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return peak_of(usage, before), before


def test_peak_of_a_process_and_its_descendants() -> None:
    more = own_peak() + 200 * MIB
    itself = f"x = bytearray(b'x') * {more}"
    below = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {itself!r}])"
    for code in (itself, below):
        peak, _ = usage_of(code)
        assert peak is not None
        assert more < peak < more + 50 * MIB


def test_own_peak_is_not_attributed_to_another_process() -> None:
    held = bytearray(b"x") * (300 * MIB)
    peak, before = usage_of("pass")
    assert before > len(held)
    del held
    assert peak is None
    assert usage_of("pass")[0] is None  # the kernel remembers
