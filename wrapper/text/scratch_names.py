"""Names of temporary folders, which tell whose they are: `hkube-PID-START-PLACE-…`.

What a killed process leaves behind can then be removed by the next one, and nothing else is. PLACE
is where PID means something: a folder may be shared with containers and other machines.
"""

from __future__ import annotations

import os
import re
import zlib

_NAME = re.compile(r"hkube-(?P<pid>[1-9]\d{0,9})-(?P<start>\d{1,20})-(?P<place>[0-9a-f]{8})-.+")


def scratch_prefix() -> str:
    """Return how the names of this process's folders begin."""
    pid = os.getpid()
    return f"hkube-{pid}-{_start(pid) or 0}-{_place()}-"


def is_left_behind(name: str) -> bool:
    """Whether a name is that of a folder whose process has ended."""
    found = _NAME.fullmatch(name)
    if found is None or found["place"] != _place():
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


def _place() -> str:
    """Return eight digits for this boot of this machine and this namespace of process ids."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            boot = file.read()
        text = boot + str(os.stat("/proc/self/ns/pid").st_ino).encode()
    except OSError:
        text = os.uname().nodename.encode()
    return f"{zlib.crc32(text):08x}"


def _start(pid: int) -> int | None:
    """Return when a process was started, in ticks since the boot; None where /proc is missing."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
