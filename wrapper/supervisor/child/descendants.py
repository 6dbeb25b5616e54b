"""The descendants of this process: adopts, reaps and kills them.

The kernel gives a daemon that user code left behind to process 1, or to the nearest ancestor that
asked for orphans. We ask, so that nothing outlives the container even if we are not process 1, and
so that orphans that die earlier are reaped.
"""

from __future__ import annotations

import os
import signal
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36
_MAX_ROUNDS = 50
_ROUND_PAUSE = 0.01  # seconds


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own (on Linux only)."""
    if sys.platform != "linux" or os.getpid() == 1:
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap() -> list[tuple[int, int]]:
    """Return process id and wait status of each child that has ended since the last call."""
    ended: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append((pid, status))


def kill_all() -> None:
    """Kill every descendant; return when none is left, or after half a second.

    It takes several rounds, because a process may fork after we listed it and before we kill it.
    Whole process groups are killed, even those of dead processes: a process that keeps forking and
    exiting has a new id each time, but stays in its group.
    """
    own_group = os.getpgrp()
    for _ in range(_MAX_ROUNDS):
        for pid, group in _descendants():
            try:
                if group != own_group:
                    os.killpg(group, signal.SIGKILL)
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        reap()
        # Whatever is left is our child by now, or a descendant of our child.
        if not os.path.isdir("/proc") or not _has_children():
            return
        time.sleep(_ROUND_PAUSE)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _descendants() -> list[tuple[int, int]]:
    """Return process id and process group of each descendant, including zombies."""
    children: dict[int, list[tuple[int, int]]] = {}
    for pid, parent, group in _processes():
        children.setdefault(parent, []).append((pid, group))
    found: list[tuple[int, int]] = []
    todo = [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += [pid for pid, _ in below]
    return found


def _processes() -> list[tuple[int, int, int]]:
    """Return id, parent's id and group of every process; empty where /proc does not exist."""
    try:
        names = os.listdir("/proc")
    except OSError:  # it does not exist, or no file descriptor is left
        return []
    processes = []
    for name in names:
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                stat = file.read()
        except OSError:
            continue  # it has just ended
        # The command's name stands in parentheses, and may contain parentheses itself.
        _, parent, group = stat.rpartition(")")[2].split()[:3]
        processes.append((int(name), int(parent), int(group)))
    return processes
