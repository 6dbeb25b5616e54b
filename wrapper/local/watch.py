"""Noticing that an algorithm's files were saved."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, final

from ..errors import WrapperError
from ..supervisor.watcher import Snapshot, code_filter, take_snapshot, watch_on
from .waiting import wait_until

if TYPE_CHECKING:
    from watchfiles import Change

    Filter = Callable[[Change, str], bool]

_LOOK_EVERY = 200
"""Milliseconds within which the watch notices that it is to end."""


class WatchError(WrapperError):
    """Saves cannot be noticed; the text says why."""

    code = "WatchError"


@final
class Watch:
    """Watches a folder's code and settings, and single files beside.

    A context manager. What the algorithm itself writes, results or pictures, is not looked at:
    code and settings are known by their endings, as in DEV_MODE.
    """

    def __init__(self, folder: Path, files: Collection[Path] = ()) -> None:
        """Prepare a watch.

        Args:
            folder: with all that is below it.
            files: single files elsewhere.
        """
        self._folder = folder
        self._files = _times(str(file.resolve()) for file in files)
        self._before = take_snapshot(str(folder))
        self._saved = threading.Event()
        self._end = threading.Event()
        self._fault: Exception | None = None
        self._call: Callable[[], None] = lambda: None
        self._threads = [
            threading.Thread(target=self._run, args=(watch,), name="watch", daemon=True)
            for watch in (self._watch_folder, self._watch_files)
        ]

    def __enter__(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    @property
    def saved(self) -> bool:
        """Whether something was saved since `wait`."""
        return self._saved.is_set()

    def on_save(self, call: Callable[[], None]) -> None:
        """Have a function called, from a thread, at the next save; at once if it has come."""
        self._call = call
        if self.saved:
            call()

    def wait(self) -> None:
        """Wait until something is saved.

        Raises:
            WatchError: that cannot be noticed.
        """
        wait_until(lambda seconds: self._saved.wait(seconds) or self._fault is not None)
        if self._fault is not None:
            raise WatchError(f"saves in {self._folder} cannot be noticed: {self._fault}")
        self._saved.clear()
        self._call = lambda: None

    def _run(self, watch: Callable[[], None]) -> None:
        try:
            watch()
        except (OSError, RuntimeError) as error:  # a folder that is closed; more files than allowed
            self._fault = error

    def _watch_folder(self) -> None:
        is_code = code_filter()

        def is_ours(change: Change, path: str) -> bool:
            return path in self._files or is_code(change, path)

        def is_new() -> bool:
            return take_snapshot(str(self._folder)) != self._before

        self._watch([str(self._folder)], is_ours, is_new, recursive=True)

    def _watch_files(self) -> None:
        """Watch the folders of the single files, and nothing that is below these."""
        inside = str(self._folder) + os.sep
        above = {os.path.dirname(file) for file in self._files if not file.startswith(inside)}
        folders = sorted(each for each in above if os.path.isdir(each))
        if not folders:
            return

        def is_ours(change: Change, path: str) -> bool:
            return path in self._files

        self._watch(folders, is_ours, lambda: _times(self._files) != self._files, recursive=False)

    def _watch(
        self, folders: list[str], is_ours: Filter, is_new: Callable[[], bool], recursive: bool
    ) -> None:
        """Watch folders until the end.

        Args:
            is_new: whether something was saved after the code was looked for; asked once, when
                the watch stands.
        """
        stood = False
        for changes in watch_on(folders, is_ours, _LOOK_EVERY, self._end, recursive):
            missed = not stood and is_new()
            stood = True
            if changes or missed:
                self._saved.set()
                self._call()


def _times(files: Iterable[str]) -> Snapshot:
    """When each file was last changed, nanoseconds; 0 for one that is not there."""
    found: Snapshot = {}
    for file in files:
        try:
            found[file] = os.stat(file).st_mtime_ns
        except OSError:
            found[file] = 0
    return found
