"""Folders that hold more than one algorithm."""

from __future__ import annotations

import sysconfig
from pathlib import Path


def holds_everything(folder: Path) -> bool:
    """Tell where all that is installed lies, a home, or the root: no algorithm's own folder."""
    installed = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    return folder in installed or folder in (Path(folder.anchor), Path.home())
