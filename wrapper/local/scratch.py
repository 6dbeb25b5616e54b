"""Temporary folders of the local tools."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ..text.scratch_names import is_left_behind, scratch_prefix


class ScratchFolder(tempfile.TemporaryDirectory[str]):
    """A temporary folder; folders that killed processes have left behind are removed first."""

    def __init__(self, suffix: str | None = None, **options: Any) -> None:
        remove_left_behind(Path(tempfile.gettempdir()))
        super().__init__(suffix=suffix, prefix=scratch_prefix(), **options)


def remove_left_behind(parent: Path) -> None:
    """Remove the folders of processes that have ended; never raises.

    Only real folders that belong to this user are removed, never what a link leads to.
    """
    try:
        with os.scandir(parent) as entries:
            left = [
                entry.path
                for entry in entries
                if is_left_behind(entry.name)
                and entry.is_dir(follow_symlinks=False)
                and entry.stat(follow_symlinks=False).st_uid == os.getuid()
            ]
    except OSError:
        return
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
