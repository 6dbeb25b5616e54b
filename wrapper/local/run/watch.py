"""Noticing that an algorithm's files were saved."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, final

from ...errors import WrapperError
from ...supervisor.child.code_watcher import Snapshot, code_filter, take_snapshot, watch_on
from ..source.manifest import JSON_MANIFEST
from ..worker.waiting import wait_until
from .watched_folders import Places

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
    """Watches the code and settings of folders, and single files beside.

    A context manager. What the algorithm itself writes, results or pictures, is not looked at:
    code and settings are known by their endings, as in DEV_MODE.
    """

    def __init__(
        self, folder: Path, files: Collection[Path] = (), others: Collection[Path] = ()
    ) -> None:
        """Prepare a watch.

        Args:
            folder: with all that is below it.
            files: single files elsewhere.
            others: folders elsewhere, with all that is below them; descriptions right in them
                may be JSON. They need not be there yet.
        """
        self._folder = folder
        self._others = [str(other.resolve()) for other in others]
        self._files = _times(str(file.resolve()) for file in files)
        self._before = self._snapshots()
        self._saved = threading.Event()
        # A save is told to whoever was listening when it came, not to who begins to meanwhile.
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._fault: Exception | None = None
        if not folder.is_dir():  # later it may go and come back
            self._fault = FileNotFoundError("it is not there")
        self._call: Callable[[], None] = lambda: None
        self._threads = [
            threading.Thread(target=self._run, args=(watch,), name="watch", daemon=True)
            for watch in (self._watch_folders, self._watch_files)
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
        with self._lock:
            self._call = call
            has_come = self.saved
        if has_come:
            call()

    def wait(self) -> None:
        """Wait until something is saved.

        Raises:
            WatchError: that cannot be noticed.
        """
        wait_until(lambda seconds: self._saved.wait(seconds) or self._fault is not None)
        if self._fault is not None:
            raise WatchError(f"saves in {self._folder} cannot be noticed: {self._fault}")
        with self._lock:
            self._saved.clear()
            self._call = lambda: None

    def _run(self, watch: Callable[[], None]) -> None:
        try:
            watch()
        except (OSError, RuntimeError) as error:  # a folder that is closed; more files than allowed
            self._fault = error

    def _watch_folders(self) -> None:
        folders = [str(self._folder), *self._others]
        self._watch(folders, self._filter(), lambda: self._snapshots() != self._before, True)

    def _filter(self) -> Filter:
        is_code = code_filter()

        def is_ours(change: Change, path: str) -> bool:
            if path in self._files or is_code(change, path):
                return True
            # Not any JSON: an algorithm may write its results beside itself.
            folder, name = os.path.split(path)
            return name == JSON_MANIFEST or (name.endswith(".json") and folder in self._others)

        return is_ours

    def _snapshots(self) -> Snapshot:
        is_ours = self._filter()
        found: Snapshot = {}
        for folder in (str(self._folder), *self._others):
            found |= take_snapshot(folder, is_ours)
        return found

    def _watch_files(self) -> None:
        """Watch the folders of the single files, and nothing that is below these."""
        inside = tuple(each + os.sep for each in (str(self._folder), *self._others))
        above = {os.path.dirname(file) for file in self._files if not file.startswith(inside)}

        def is_ours(change: Change, path: str) -> bool:
            return path in self._files

        self._watch(sorted(above), is_ours, lambda: _times(self._files) != self._files, False)

    def _watch(
        self, folders: list[str], is_ours: Filter, is_new: Callable[[], bool], recursive: bool
    ) -> None:
        """Watch folders until the end, and begin anew when one of them goes or comes.

        Args:
            is_new: whether something was saved after the code was looked for; asked once, when
                the watch stands.
        """
        unseen: set[str] = set()
        while folders and not self._end.is_set():
            with Places(folders) as places:
                if unseen & places.there:
                    is_new = _always  # whatever is in it, nobody has seen it come
                try:
                    if places.there:
                        self._watch_places(places, is_ours, is_new, recursive)
                        is_new = _never
                except FileNotFoundError:  # it has gone just now
                    pass
                unseen = places.changed() | (set(folders) - places.there)
            if unseen:
                self._end.wait(_LOOK_EVERY / 1000)

    def _watch_places(
        self, places: Places, is_ours: Filter, is_new: Callable[[], bool], recursive: bool
    ) -> None:
        """Watch folders while they are the same."""
        stood = False
        for changes in watch_on(places.there, is_ours, _LOOK_EVERY, self._end, recursive):
            missed = not stood and is_new()
            stood = True
            if changes or missed:
                with self._lock:
                    self._saved.set()
                    call = self._call
                call()
            if places.changed():
                return


def _always() -> bool:
    return True


def _never() -> bool:
    return False


def _times(files: Iterable[str]) -> Snapshot:
    """When each file was last changed, nanoseconds; 0 for one that is not there."""
    found: Snapshot = {}
    for file in files:
        try:
            found[file] = os.stat(file).st_mtime_ns
        except OSError:
            found[file] = 0
    return found
