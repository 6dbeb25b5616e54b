"""Watches folders that may be deleted, replaced or created meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, final

from ...supervisor.child.code_watcher import watch_on

if TYPE_CHECKING:
    from watchfiles import Change

_LOOK_EVERY = 200  # milliseconds between looks at whether a folder came or went, or the end is set


def watch_folders(
    folders: Collection[str],
    is_ours: Callable[[Change, str], bool],
    recursive: bool,
    end: Event,
) -> Iterator[set[str]]:
    """Yield, once the watch stands and then regularly, the paths that have changed, if any.

    A folder that appears counts as a change, because nobody has seen what was saved in it before.

    Args:
        folders: absolute paths; a missing folder is watched once it exists.
        is_ours: whether a change counts.
        recursive: watch what is below the folders too.
        end: ends the watch when it is set.
    """
    missing: set[str] = set()  # or replaced by another folder
    appeared: set[str] = set()
    while folders and not end.is_set():
        with HeldFolders(folders) as held:
            appeared |= missing & held.present
            with suppress(FileNotFoundError):  # a folder has just been deleted
                for changes in watch_on(held.present, is_ours, _LOOK_EVERY, end, recursive):
                    yield {path for _, path in changes} | appeared
                    appeared = set()
                    if held.changed():
                        break
            missing = held.changed() | (set(folders) - held.present)
        if missing:
            end.wait(_LOOK_EVERY / 1000)


@final
class HeldFolders:
    """Keeps each existing folder open, so that its inode is not reused.

    A context manager.

    Attributes:
        present: the folders that existed at the beginning.

    Args:
        folders: absolute paths.
    """

    def __init__(self, folders: Collection[str]) -> None:
        self._folders = folders
        self._held: dict[str, int] = {}
        for folder in folders:
            with suppress(OSError):
                self._held[folder] = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self.present = set(self._held)

    def __enter__(self) -> HeldFolders:
        return self

    def __exit__(self, *exc_info: object) -> None:
        for descriptor in self._held.values():
            os.close(descriptor)

    def changed(self) -> set[str]:
        """Return the folders that were created, deleted or replaced since the beginning."""
        return {folder for folder in self._folders if self._has_changed(folder)}

    def _has_changed(self, folder: str) -> bool:
        held = self._held.get(folder)
        try:
            now = os.stat(folder)
        except OSError:
            return held is not None
        return held is None or not os.path.samestat(now, os.fstat(held))
