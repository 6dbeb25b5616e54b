"""The folder for a task's TensorBoard files: HKube's worker uploads all of it after each task."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from typing import Any, final

KEEP, EMPTY, PER_TASK = "keep", "empty", "per-task"

_VARIABLE = "ALGO_METRICS_DIR"
_LEVELS = ("pipelineName", "nodeName", "jobId", "taskId")
_UNUSUAL = re.compile(r"[^\w.:@-]|^\.+$")
_OPEN_FILES = "/proc/self/fd"
_SHARED = ("/tmp", "/var", "/home", "/root", "/usr")
"""Nothing below a folder that holds one of these is ours alone."""


@final
class TaskMetrics:
    """Prepares the folder before each task."""

    def __init__(self, folder: str, mode: str = KEEP, protected: tuple[str, ...] = ()) -> None:
        """Prepare nothing yet.

        Args:
            folder: absolute path of the folder.
            mode: `empty`: what earlier tasks left is removed, or the worker would upload it again;
                `keep`: nothing is removed; `per-task`: each task gets a folder below this one.
            protected: absolute paths that must not be removed, such as the algorithm's code.
        """
        self._folder = folder
        self._mode = mode
        if mode == EMPTY and any(_is_inside(path, folder) for path in (*_SHARED, *protected)):
            self._mode = KEEP
        # What the module writes while it is imported belongs to the first task.
        self._removed_before = time.time()

    def prepare(self, data: Mapping[str, Any]) -> str:
        """Prepare the folder for a task, as far as possible.

        Args:
            data: the job.

        Returns:
            The task's folder, which code that reads ALGO_METRICS_DIR expects to exist.
        """
        folder = self._folder
        if self._mode == PER_TASK:
            parts = (_UNUSUAL.sub("_", str(data.get(level) or "unknown")) for level in _LEVELS)
            folder = os.path.join(folder, *parts)
            os.environ[_VARIABLE] = folder
        elif self._mode == EMPTY:
            _empty(folder, self._removed_before)
            self._removed_before = float("inf")
        _make(folder)
        return folder


def _is_inside(path: str, folder: str) -> bool:
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _make(path: str) -> None:
    try:
        try:
            # Nearly always it exists, or its parent does. The C function works for every task:
            # user code may have replaced what `makedirs`, which is Python, uses.
            os.mkdir(path)
        except FileNotFoundError:
            os.makedirs(path, exist_ok=True)
    except OSError:
        pass  # it exists; or the few tasks that write metrics learn the reason there


def _empty(folder: str, before: float) -> None:
    """Remove what is in a folder and older than a time, but no file that this process has open.

    A writer that the module opened once goes on writing into its file.
    """
    waiting, folders = [folder], list[str]()
    open_files: set[str] | None = None
    while waiting:
        directory = waiting.pop()
        try:
            with os.scandir(directory) as entries:
                found = list(entries)
        except OSError:
            continue  # it does not exist, or is not ours
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                    folders.append(entry.path)
                    continue
                if open_files is None:
                    open_files = _open_files()
                is_old = entry.stat(follow_symlinks=False).st_mtime < before
                if is_old and os.path.realpath(entry.path) not in open_files:
                    os.unlink(entry.path)
            except OSError:
                continue  # it was removed meanwhile, or is not ours
    for path in reversed(folders):
        try:
            os.rmdir(path)
        except OSError:
            continue  # it still holds files


def _open_files() -> set[str]:
    """Return the paths that this process has open; none where the system does not list them."""
    paths = set[str]()
    try:
        numbers = os.listdir(_OPEN_FILES)
    except OSError:
        return paths
    for number in numbers:
        try:
            paths.add(os.readlink(f"{_OPEN_FILES}/{number}"))
        except OSError:
            continue  # it was the listing's own
    return paths
