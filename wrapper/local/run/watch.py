"""Notices that an algorithm's files were saved."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, final

from ...errors import WrapperError
from ...supervisor.child.code_watcher import Snapshot, code_filter, take_snapshot
from ..source.manifest import JSON_MANIFEST
from ..worker.waiting import wait_until
from .watched_folders import watch_folders

if TYPE_CHECKING:
    from watchfiles import Change


class WatchError(WrapperError):
    """Saves cannot be noticed; the text says why."""

    code = "WatchError"


@final
class Watch:
    """Watches code and settings in folders, and single files elsewhere.

    A context manager. It knows code and settings by their endings, as DEV_MODE does, and so ignores
    what the algorithm itself writes, such as results or pictures. Patterns add other files.
    """

    def __init__(
        self,
        folder: Path,
        files: Collection[Path] = (),
        others: Collection[Path] = (),
        patterns: Sequence[str] = (),
    ) -> None:
        """Prepare a watch. Saves from now on are noticed.

        Args:
            folder: watched with everything below it.
            files: single files elsewhere.
            others: other folders, watched with everything below them. Descriptions directly in
                them may be JSON files. They need not exist yet.
            patterns: files in `folder` that count too, such as `*.csv`: patterns of names, or, with
                a `/`, of paths from `folder`.
        """
        self._folder = folder
        self._others = [str(other.resolve()) for other in others]
        self._files = {str(file.resolve()) for file in files}
        self._is_code = code_filter()
        self._patterns = patterns
        self._saved = threading.Event()
        self._saved_path = ""
        # A save is reported only to the callback that was set when it happened.
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._error: Exception | None = None
        if not folder.is_dir():  # later it may disappear and come back
            self._error = FileNotFoundError("the folder does not exist")
        self._call: Callable[[], None] = lambda: None
        folders = [str(folder), *self._others]
        inside = tuple(each + os.sep for each in folders)
        above = {os.path.dirname(file) for file in self._files if not file.startswith(inside)}
        self._threads = [
            self._make_thread(folders, self._is_ours, True, self._look_at_folders),
            self._make_thread(sorted(above), self._is_single_file, False, self._look_at_files),
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
        """Call a function, from a thread, at the next save; immediately if that has happened."""
        with self._lock:
            self._call = call
            was_saved = self.saved
        if was_saved:
            call()

    def wait(self) -> str:
        """Wait until something is saved; return the path of the first file.

        Raises:
            WatchError: saves cannot be noticed.
        """
        wait_until(lambda seconds: self._saved.wait(seconds) or self._error is not None)
        if self._error is not None:
            raise WatchError(f"cannot notice saves in {self._folder}: {self._error}")
        with self._lock:
            self._saved.clear()
            self._call = lambda: None
            return os.path.relpath(self._saved_path)

    def _make_thread(
        self,
        folders: list[str],
        is_ours: Callable[[Change, str], bool],
        recursive: bool,
        look: Callable[[], Snapshot],
    ) -> threading.Thread:
        before = look()

        def watch() -> None:
            stands = False
            try:
                for changed in watch_folders(folders, is_ours, recursive, self._end):
                    if not stands:  # what was saved before the watch stood is noticed here
                        now = look()
                        changed |= {path for path, _ in before.items() ^ now.items()}
                    stands = True
                    if changed:
                        self._report_save(min(changed))
            # For example an unreadable folder, or more files than the system can watch.
            except (OSError, RuntimeError) as error:
                self._error = error

        return threading.Thread(target=watch, name="watch", daemon=True)

    def _report_save(self, path: str) -> None:
        with self._lock:
            if not self._saved.is_set():
                self._saved_path = path
            self._saved.set()
            call = self._call
        call()

    def _is_ours(self, change: Change, path: str) -> bool:
        if path in self._files or self._is_code(change, path) or self._is_also(path):
            return True
        # Not every JSON file: an algorithm may write its results next to itself.
        folder, name = os.path.split(path)
        return name == JSON_MANIFEST or (name.endswith(".json") and folder in self._others)

    def _is_also(self, path: str) -> bool:
        below = os.path.relpath(path, self._folder)
        if below.startswith(os.pardir):
            return False
        return any(
            fnmatchcase(below if "/" in pattern else os.path.basename(path), pattern)
            for pattern in self._patterns
        )

    def _look_at_folders(self) -> Snapshot:
        found: Snapshot = {}
        for folder in (str(self._folder), *self._others):
            found |= take_snapshot(folder, self._is_ours)
        return found

    def _is_single_file(self, change: Change, path: str) -> bool:
        return path in self._files

    def _look_at_files(self) -> Snapshot:
        """Return when each single file last changed, nanoseconds; 0 if it does not exist."""
        found: Snapshot = {}
        for file in self._files:
            try:
                found[file] = os.stat(file).st_mtime_ns
            except OSError:
                found[file] = 0
        return found
