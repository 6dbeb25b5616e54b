"""Measures how much memory the processes of a container used."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

_UNIT = 1 if sys.platform == "darwin" else 1024
_STATUS = Path("/proc/self/status")
_INEXACT = 1.1  # the kernel counts roughly


def peak_of(usage: resource.struct_rusage, own_peak: int) -> int | None:
    """Return the peak memory of a process or its descendants in bytes; None if it is not known.

    The kernel counts from the fork, when the process still shares its parent's memory. A peak that
    is not above the parent's therefore says nothing.

    Args:
        usage: the process's resource usage, taken at its end.
        own_peak: peak memory of this process when it started the other one, in bytes.
    """
    peak = usage.ru_maxrss * _UNIT
    return peak if peak > own_peak * _INEXACT else None


def own_peak() -> int:
    """Return the peak memory of this process so far, in bytes."""
    try:
        found = re.search(r"^VmHWM:\s*(\d+) kB", _STATUS.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:  # not Linux
        found = None
    if found is not None:
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
