"""The processes below this one: adopt them, reap them, end them.

A daemon that user code left behind is handed to process 1 by the kernel, or to the nearest
ancestor that asked for it. We ask, so that nothing survives the container's end even where we
are not process 1, and so that what dies meanwhile is reaped.
"""

from __future__ import annotations

import os
import signal
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36
_MOST_ROUNDS = 50
_ROUND_PAUSE = 0.01


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own (Linux; elsewhere nothing)."""
    if sys.platform != "linux" or os.getpid() == 1:
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap() -> list[tuple[int, int]]:
    """Process id and wait status of every child that has ended since the last call."""
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
    """End every descendant; returns when none is left, or after half a second of trying.

    In rounds, because a process may fork between our look and our signal; and whole groups, those
    of the dead too, because one that forks and ends all the time is another by then.
    """
    own_group = os.getpgrp()
    for _ in range(_MOST_ROUNDS):
        for pid, group in _descendants():
            try:
                if group != own_group:
                    os.killpg(group, signal.SIGKILL)
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        reap()
        # All that is left would be a child of ours by now, or the child of one.
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
    """Process id and process group of each, the dead that are not yet reaped among them."""
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
    """Id, parent's id and group of every process; empty where there is no /proc."""
    try:
        names = os.listdir("/proc")
    except FileNotFoundError:
        return []
    processes = []
    for name in names:
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                stat = file.read()
        except OSError:
            continue  # it ended meanwhile
        # The command's name, in parentheses, may hold anything, parentheses too.
        _, parent, group = stat.rpartition(")")[2].split()[:3]
        processes.append((int(name), int(parent), int(group)))
    return processes
