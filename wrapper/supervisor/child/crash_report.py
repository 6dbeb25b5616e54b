"""Reports how an algorithm process died: in the log, and where Kubernetes shows it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ...ipc.frames import BROKEN_PACKAGE, OWN_FAILURE

if TYPE_CHECKING:
    from ...log import Log

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Kubernetes shows the first 4,096 bytes of /dev/termination-log.
_TERMINATION_LOG_BYTES = 4096
_CGROUP = "/sys/fs/cgroup"
_NO_LIMIT = 1 << 60
_STANDARD_LIBRARY = os.path.dirname(os.__file__)

_MEANINGS = {
    "SIGSEGV": "it accessed memory that it does not own, most often in a C extension",
    "SIGBUS": "it accessed memory that does not exist (a truncated mapped file, a full /dev/shm)",
    "SIGABRT": "C code called abort(), most often after it wrote the reason above",
    "SIGFPE": "C code made an arithmetic error, such as an integer division by zero",
    "SIGILL": "this processor does not know an instruction (a wheel for another CPU)",
    "SIGKILL": "the kernel (out of memory) or a process in the container killed it",
    "SIGTERM": "a process in the container sent it SIGTERM",
}


class CrashReporter:
    """Reports crashes, and compares memory with its state at the start to explain them.

    Args:
        log: the wrapper's log.
        termination_log: path of the file that Kubernetes reads.
    """

    def __init__(self, log: Log, termination_log: str) -> None:
        self._log = log
        self._termination_log = termination_log
        self._before = read_memory_state()

    def report_crash(self, status: int, stacks: str, refused: str = "") -> None:
        """Report that the algorithm process died.

        Args:
            status: its wait status.
            stacks: what faulthandler wrote, or the wrapper about a failure of its own.
            refused: why it was killed on purpose; empty: it was not.
        """
        if refused:
            text = f"the algorithm process {refused}"
        else:
            text = describe_death(status, stacks, self._before, read_memory_state(), _PACKAGE)
        self._log.error(text)
        # Kubernetes creates the file. Elsewhere, do not leave one in /dev.
        if os.path.exists(self._termination_log) or not self._termination_log.startswith("/dev/"):
            write_termination_log(self._termination_log, text)

    def report_stuck(self, stacks: str) -> None:
        """Report where a stuck algorithm is, before it is killed."""
        frames = user_frames(stacks, _PACKAGE)
        if frames:
            self._log.warning("where the algorithm is stuck, innermost line first:\n" + frames)
        else:
            self._log.warning("the stuck algorithm has no Python stack to show")


class MemoryState(NamedTuple):
    """What the cgroup reports about memory.

    Attributes:
        oom_kills: how many processes the kernel has killed because memory ran out.
        limit: bytes; None: no limit.
    """

    oom_kills: int
    limit: int | None


def read_memory_state(read: Callable[[str], str] | None = None) -> MemoryState:
    """Read this container's memory limit and out-of-memory kills (cgroup v2, else v1)."""
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
    """Return the report: one sentence with the cause, then the last Python stack if there is one.

    Args:
        status: the wait status.
        stacks: what faulthandler wrote.
        before: the cgroup's memory when the process started.
        after: the cgroup's memory now.
        package: the wrapper's folder, whose frames are left out.
    """
    _, failed, what = stacks.partition(OWN_FAILURE)
    if failed:
        return (
            "the algorithm process failed in the wrapper's own code, which user code may have "
            f"changed; please report this if yours has not:\n{what.rstrip()}"
        )
    _, is_broken, what = stacks.partition(BROKEN_PACKAGE)
    if is_broken:
        return f"the algorithm process cannot start: {what.rstrip()}"
    text = f"the algorithm process {_cause(status)}"
    new_kills = after.oom_kills - before.oom_kills
    if new_kills > 0:
        limit = f"{after.limit:,} bytes" if after.limit else "none (the node itself ran short)"
        text += (
            f"; out of memory: the kernel killed {new_kills} process(es) of this container, "
            f"whose memory limit is {limit}: raise the algorithm's memory, or use less at a time"
        )
    frames = user_frames(stacks, package)
    if frames:
        text += "\nthe last Python stack, innermost line first:\n" + frames
    return text


def user_frames(stacks: str, package: str) -> str:
    """Return the stacks without the wrapper's lines, and without threads that have no other lines.

    Args:
        stacks: what faulthandler wrote.
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
    """Whether a line of a stack is a frame outside the standard library."""
    return line.startswith("  File") and (
        f'File "{_STANDARD_LIBRARY}{os.sep}' not in line or "site-packages" in line
    )


def write_termination_log(path: str, text: str) -> None:
    """Write the report where Kubernetes shows it: to `kubectl describe pod` and HKube's worker."""
    data = text.encode(errors="backslashreplace")[:_TERMINATION_LOG_BYTES]
    # O_NONBLOCK: opening a FIFO without a reader fails, rather than waiting forever.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with open(os.open(path, flags, 0o666), "wb") as file:
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
