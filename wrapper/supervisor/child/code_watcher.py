"""DEV_MODE: noticing that the algorithm's code has changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchfiles import Change, PythonFilter
    from watchfiles.main import FileChange

    from ...log import Log

_SETTINGS = (".yaml", ".yml", ".toml", ".ini", ".cfg")


Snapshot = dict[str, int]

# Milliseconds within which the watch is known to stand; what was edited before is found then.
_LOOK_EVERY = 1000


def take_snapshot(folder: str, is_ours: Callable[[Change, str], bool] | None = None) -> Snapshot:
    """When each file of code was last changed, nanoseconds; take it before the code is loaded.

    Args:
        folder: with all that is below it.
        is_ours: whether a file counts; None: code and settings do.
    """
    from watchfiles import Change

    is_ours = is_ours or code_filter()
    found: Snapshot = {}
    for path, _, names in os.walk(folder):
        for name in names:
            file = os.path.join(path, name)
            try:
                if is_ours(Change.modified, file):
                    found[file] = os.stat(file).st_mtime_ns
            except OSError:
                pass  # it has just gone
    return found


def watch_in_thread(
    folder: str, changed: Callable[[], None], log: Log, since: Snapshot | None = None
) -> None:
    """Call `changed`, from a thread, after each burst of changes to the folder's code.

    Args:
        folder: absolute path.
        changed: called from the thread.
        log: the wrapper's log.
        since: changes since then count too, though nobody watched yet.
    """
    arguments = (folder, changed, log, since)
    Thread(target=_watch, args=arguments, name="watch", daemon=True).start()


def _watch(
    folder: str, changed: Callable[[], None], log: Log, since: Snapshot | None = None
) -> None:
    try:
        for changes in watch_on([folder], code_filter(), _LOOK_EVERY):
            missed = since is not None and take_snapshot(folder) != since
            since = None
            if changes or missed:
                names = sorted({os.path.basename(path) for _, path in changes})
                log.debug(f"changed: {', '.join(names[:10])}")
                changed()
    except Exception as error:  # a thread's last border: without it nobody would hear of it
        log.error(f"DEV_MODE: changes in {folder} are no longer noticed: {error}")


def watch_on(
    folders: Collection[str],
    is_ours: Callable[[Change, str], bool],
    look_every: int,
    end: Event | None = None,
    recursive: bool = True,
) -> Iterator[set[FileChange]]:
    """Yield each burst of changes, until `end` is set.

    Args:
        folders: absolute paths.
        is_ours: whether a change counts.
        look_every: milliseconds after which, if nothing has changed, an empty burst tells that the
            watch stands.
        recursive: also what is below the folders.
    """
    # watchfiles: the system's own notifications, bursts put together, __pycache__, .git, editor
    # files and the like left out, and polling where bind mounts bring no notifications
    # (WATCHFILES_FORCE_POLLING).
    from watchfiles import watch

    while end is None or not end.is_set():
        try:
            yield from watch(
                *folders,
                watch_filter=is_ours,
                stop_event=end,
                rust_timeout=look_every,
                yield_on_timeout=True,
                raise_interrupt=False,
                recursive=recursive,
            )
        except RuntimeError as error:
            if "decode" not in str(error):  # the name of some file is no text
                raise


def code_filter() -> PythonFilter:
    """Code and settings only: what an algorithm writes beside its code must not reload it."""
    from watchfiles import PythonFilter

    return PythonFilter(extra_extensions=_SETTINGS)
