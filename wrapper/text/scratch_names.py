"""Names of temporary folders, which tell whose they are: `hkube-PID-START-…`.

What a killed process leaves behind can then be removed by the next one, and nothing else is.
"""

from __future__ import annotations

import os
import re

_NAME = re.compile(r"hkube-(?P<pid>[1-9]\d{0,9})-(?P<start>\d{1,20})-.+")


def scratch_prefix() -> str:
    """Return how the names of this process's folders begin."""
    pid = os.getpid()
    return f"hkube-{pid}-{_start(pid) or 0}-"


def is_left_behind(name: str) -> bool:
    """Whether a name is that of a folder whose process has ended."""
    found = _NAME.fullmatch(name)
    if found is None:
        return False
    pid, start = int(found["pid"]), int(found["start"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it is another user's
        return False
    now = _start(pid)
    return now is not None and start != now  # a new process has the same id


def _start(pid: int) -> int | None:
    """Return when a process was started, in ticks since the boot; None where /proc is missing."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
