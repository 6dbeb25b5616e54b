"""Measures the processor time and the memory of a process and all below it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class ResourceUsage(NamedTuple):
    """What some processes use.

    Attributes:
        cpu: processor seconds so far.
        memory: resident bytes; 0 if the processes have ended, or where there is no /proc.
    """

    cpu: float
    memory: int


def usage_of(pid: int) -> ResourceUsage:
    """Return the usage of a process and all below it."""
    tick, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    ticks = pages = 0
    for each in _tree(pid):
        fields = _stat(each)
        if fields:
            ticks += int(fields[11]) + int(fields[12])
            pages += int(fields[21])
    return ResourceUsage(ticks / tick, pages * page)


def _tree(pid: int) -> Iterator[int]:
    waiting = [pid]
    while waiting:
        found = waiting.pop()
        yield found
        try:
            for task in os.listdir(f"/proc/{found}/task"):
                children = Path(f"/proc/{found}/task/{task}/children").read_text()
                waiting += map(int, children.split())
        except (OSError, ValueError):
            continue  # it has ended, or the kernel does not list children


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the process's name; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
