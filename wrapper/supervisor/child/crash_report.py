"""How the algorithm process died, in words for the user and the operator."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import NamedTuple

# Kubernetes shows the first 4,096 bytes of /dev/termination-log.
_TERMINATION_LOG_BYTES = 4096
_CGROUP = "/sys/fs/cgroup"
_NO_LIMIT = 1 << 60
_STANDARD_LIBRARY = os.path.dirname(os.__file__)

_MEANINGS = {
    "SIGSEGV": "memory that does not belong to it was touched, most often by a C extension",
    "SIGBUS": "memory that is not there was touched (a truncated mapped file, a full /dev/shm)",
    "SIGABRT": "C code called abort(), most often after writing its reason above",
    "SIGFPE": "C code made an arithmetic fault, such as an integer division by zero",
    "SIGILL": "an instruction that this processor does not have (a wheel for another CPU)",
    "SIGKILL": "the kernel (out of memory) or somebody in the container killed it",
    "SIGTERM": "somebody in the container sent it SIGTERM",
}


class MemoryState(NamedTuple):
    """What the cgroup tells of memory.

    Attributes:
        oom_kills: processes that the kernel killed for want of memory so far.
        limit: bytes; None: there is no limit.
    """

    oom_kills: int
    limit: int | None


def read_memory_state(read: Callable[[str], str] | None = None) -> MemoryState:
    """The memory limit and the out-of-memory kills of this container (cgroup v2, else v1)."""
    read = read or _read_file
    events = read(f"{_CGROUP}/memory.events") or read(f"{_CGROUP}/memory/memory.oom_control")
    kills = 0
    for line in events.splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill" and value.strip().isdigit():
            kills = int(value)
    limit = (
        read(f"{_CGROUP}/memory.max") or read(f"{_CGROUP}/memory/memory.limit_in_bytes")
    ).strip()
    if not limit.isdigit() or int(limit) >= _NO_LIMIT:
        return MemoryState(kills, None)
    return MemoryState(kills, int(limit))


def describe_death(
    status: int, stacks: str, before: MemoryState, after: MemoryState, package: str
) -> str:
    """The report: one sentence with the cause, then the last Python stack if there is one.

    Args:
        status: the wait status.
        stacks: what faulthandler wrote.
        before: the cgroup's memory when the process was started.
        after: the same now.
        package: the wrapper's folder; its own frames are left out of the stacks.
    """
    text = f"the algorithm process {_cause(status)}"
    new_kills = after.oom_kills - before.oom_kills
    if new_kills > 0:
        limit = f"{after.limit:,} bytes" if after.limit else "none (the node itself ran short)"
        text += (
            f"; out of memory: the kernel killed {new_kills} process(es) of this container, "
            f"whose memory limit is {limit}: raise the algorithm's memory, or hold less at once"
        )
    frames = user_frames(stacks, package)
    if frames:
        text += "\nthe last Python stack, innermost line first:\n" + frames
    return text


def user_frames(stacks: str, package: str) -> str:
    """faulthandler's text without the wrapper's own lines, and without threads that have no other.

    Args:
        stacks: the text.
        package: the wrapper's folder.
    """
    blocks: list[list[str]] = [[]]
    for line in stacks.splitlines():
        if line.startswith(("Thread ", "Current thread ", "Stack ")):
            blocks.append([])
        if f'File "{package}{os.sep}' in line or "<frozen " in line:
            continue
        blocks[-1].append(line)
    kept = [block for block in blocks if any(map(_is_users_line, block))]
    return "\n".join(line for block in kept for line in block if line.strip())


def _is_users_line(line: str) -> bool:
    """A line of a stack that is not the standard library's."""
    return line.startswith("  File") and (
        f'File "{_STANDARD_LIBRARY}{os.sep}' not in line or "site-packages" in line
    )


def write_termination_log(path: str, text: str) -> None:
    """Leave the report where Kubernetes shows it: `kubectl describe pod`, and HKube's worker."""
    data = text.encode(errors="backslashreplace")[:_TERMINATION_LOG_BYTES]
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError:
        pass  # the same text is in the log


def _cause(status: int) -> str:
    if not os.WIFSIGNALED(status):
        code = os.WEXITSTATUS(status)
        return f"ended by itself with status {code}: os._exit(), or exit() in C code"
    number = os.WTERMSIG(status)
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "a real-time signal"
    meaning = _MEANINGS.get(name)
    text = f"was ended by signal {number} ({name})"
    return f"{text}: {meaning}" if meaning else text


def _read_file(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
