"""How much memory the processes of a container took."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

_UNIT = 1 if sys.platform == "darwin" else 1024
_STATUS = Path("/proc/self/status")
_INEXACT = 1.1  # the kernel counts roughly


def peak_of(usage: resource.struct_rusage, own_peak: int) -> int | None:
    """Return the most memory that a process, or one below it, took; None if that is not known.

    The kernel counts a process's memory from its fork on, when it still has that of its parent:
    what is no more than that tells nothing.

    Args:
        usage: of the process, from its end.
        own_peak: of this process when it started the other one, in bytes.
    """
    peak = usage.ru_maxrss * _UNIT
    return peak if peak > own_peak * _INEXACT else None


def own_peak() -> int:
    """Return the most memory that this process has taken so far, in bytes."""
    try:
        found = re.search(r"^VmHWM:\s*(\d+) kB", _STATUS.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:  # not Linux
        found = None
    if found is not None:
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
