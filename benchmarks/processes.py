"""What the kernel reports about a process and its descendants, as sums over all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")
MEBIBYTE = 1024 * 1024


def family(pid: int) -> list[int]:
    """Return the process and all its running descendants."""
    found = [pid]
    for parent in found:
        for thread in threads_of(parent):
            found += map(int, (thread / "children").read_text().split())
    return found


def peak_bytes(pids: Iterable[int]) -> int:
    """Return the sum of the peak resident sizes (VmHWM), at least the true joint peak."""
    return sum(kilobytes(PROC / str(pid) / "status", "VmHWM") for pid in pids) * 1024


def pss_bytes(pids: Iterable[int]) -> int:
    """Return the sum of the processes' proportional set sizes."""
    return sum(kilobytes(PROC / str(pid) / "smaps_rollup", "Pss") for pid in pids) * 1024


def wake_ups(pids: Iterable[int]) -> int:
    """Return the number of voluntary context switches of all threads so far."""
    return sum(
        kilobytes(thread / "status", "voluntary_ctxt_switches")
        for pid in pids
        for thread in threads_of(pid)
    )


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU time of the processes so far."""
    ticks = 0
    for pid in pids:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def threads(pids: Iterable[int]) -> int:
    """Return the number of threads."""
    return sum(len(threads_of(pid)) for pid in pids)


def descriptors(pids: Iterable[int]) -> int:
    """Return the number of open file descriptors."""
    return sum(len(os.listdir(PROC / str(pid) / "fd")) for pid in pids)


def threads_of(pid: int) -> list[Path]:
    """Return the folders of its threads in /proc."""
    return list((PROC / str(pid) / "task").iterdir())


def kilobytes(path: Path, field: str) -> int:
    """Return the number after a field's name (kilobytes, for sizes)."""
    for line in path.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise LookupError(f"{path} has no {field}")
