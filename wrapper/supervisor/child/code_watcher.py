"""DEV_MODE: notices that the algorithm's code has changed."""

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
# Milliseconds until the watch is known to stand; earlier edits are found then.
_LOOK_EVERY = 1000

Snapshot = dict[str, int]


def take_snapshot(folder: str, is_ours: Callable[[Change, str], bool] | None = None) -> Snapshot:
    """Return when each file of code was last changed, nanoseconds.

    Take it before the code is loaded.

    Args:
        folder: searched with everything below it.
        is_ours: whether a file counts; None: code and settings count.
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
                pass  # it was deleted just now
    return found


def watch_in_thread(
    folder: str, changed: Callable[[], None], log: Log, since: Snapshot | None = None
) -> None:
    """Call `changed`, from a thread, after each burst of changes to the folder's code.

    Args:
        folder: absolute path.
        changed: called from the thread.
        log: the wrapper's log.
        since: the state of the code; changes since then count, even those before the watch stands.
    """
    arguments = (folder, changed, log, since)
    Thread(target=_watch, args=arguments, name="watch", daemon=True).start()


def _watch(folder: str, changed: Callable[[], None], log: Log, since: Snapshot | None) -> None:
    try:
        for changes in watch_on([folder], code_filter(), _LOOK_EVERY):
            missed = since is not None and take_snapshot(folder) != since
            since = None
            if changes or missed:
                names = sorted({os.path.basename(path) for _, path in changes})
                log.debug(f"changed: {', '.join(names[:10])}")
                changed()
    except Exception as error:  # the thread's boundary: otherwise nobody would see the error
        log.error(f"DEV_MODE: cannot watch {folder} any more, changes have no effect: {error}")


def watch_on(
    folders: Collection[str],
    is_ours: Callable[[Change, str], bool],
    look_every: int,
    end: Event | None = None,
    recursive: bool = True,
) -> Iterator[set[FileChange]]:
    """Yield each burst of changes, until `end` is set.

    Args:
        folders: absolute paths; none: return immediately.
        is_ours: whether a change counts.
        look_every: milliseconds without a change after which an empty burst shows that the watch
            stands.
        end: ends the watch when it is set.
        recursive: watch what is below the folders too.
    """
    # watchfiles uses the system's notifications, gathers bursts, and ignores __pycache__, .git and
    # editors' files. It polls where bind mounts bring no notifications (WATCHFILES_FORCE_POLLING).
    from watchfiles import watch

    while folders and (end is None or not end.is_set()):
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
            if "decode" not in str(error):  # a file whose name is not valid text
                raise


def code_filter() -> PythonFilter:
    """Return a filter for code and settings: other files must not reload the algorithm."""
    from watchfiles import PythonFilter

    return PythonFilter(extra_extensions=_SETTINGS)
