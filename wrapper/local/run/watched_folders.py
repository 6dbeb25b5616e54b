"""Folders that may be deleted and made anew while they are looked at."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import final


@final
class Places:
    """Those of some folders that are there, each held, so that its number is given to no other.

    A context manager.
    """

    def __init__(self, folders: Iterable[str]) -> None:
        """Look at folders.

        Args:
            folders: absolute paths; what is not there is looked for again by `changed`.
        """
        self._folders = list(folders)
        self._held: dict[str, int] = {}
        for folder in self._folders:
            with suppress(OSError):
                self._held[folder] = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    def __enter__(self) -> Places:
        return self

    def __exit__(self, *exc_info: object) -> None:
        for descriptor in self._held.values():
            os.close(descriptor)

    @property
    def there(self) -> set[str]:
        """Those that were there at the beginning."""
        return set(self._held)

    def changed(self) -> set[str]:
        """Those that have come since the beginning, have gone, or are another folder now."""
        return {folder for folder in self._folders if self._has_changed(folder)}

    def _has_changed(self, folder: str) -> bool:
        held = self._held.get(folder)
        try:
            now = os.stat(folder)
        except OSError:
            return held is not None
        return held is None or not os.path.samestat(now, os.fstat(held))
