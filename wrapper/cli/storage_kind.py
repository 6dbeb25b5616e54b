"""What `--storage` takes; apart, since every command line is held up by what it imports."""

from __future__ import annotations

import enum


class StorageKind(enum.Enum):
    """The storages that local tools have."""

    FS = "fs"
