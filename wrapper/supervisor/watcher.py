"""DEV_MODE: noticing that the algorithm's code has changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..log import Log

_SETTINGS = (".yaml", ".yml", ".toml", ".ini", ".cfg")


def watch_in_thread(folder: str, changed: Callable[[], None], log: Log) -> None:
    """Call `changed`, from a thread, after each burst of changes to the folder's files."""
    Thread(target=_watch, args=(folder, changed, log), name="watch", daemon=True).start()


def _watch(folder: str, changed: Callable[[], None], log: Log) -> None:
    # watchfiles: the system's own notifications, bursts put together, __pycache__, .git, editor
    # files and the like left out, and polling where bind mounts bring no notifications
    # (WATCHFILES_FORCE_POLLING).
    try:
        from watchfiles import PythonFilter, watch

        # Code and settings only: what an algorithm writes beside its code must not reload it.
        code = PythonFilter(extra_extensions=_SETTINGS)
        for changes in watch(folder, watch_filter=code, raise_interrupt=False):
            names = sorted({os.path.basename(path) for _, path in changes})
            log.debug(f"changed: {', '.join(names[:10])}")
            changed()
    except Exception as error:  # a thread's last border: without it nobody would hear of it
        log.error(f"DEV_MODE: changes in {folder} are no longer noticed: {error}")
