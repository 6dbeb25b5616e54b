"""Writes the entries of an untrusted archive; nothing is ever written outside the folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, final

from ...errors import WrapperError

MAX_FILES = 100_000
MAX_BYTES = 8 * 1024**3
"""The limit when unpacked; code takes megabytes, so more is a mistake or an attack."""

_OF_MACOS = ("__MACOSX", ".DS_Store")


class ArchiveError(WrapperError):
    """An archive cannot be unpacked; the message names it and says why."""

    code = "ArchiveError"


@final
class UnpackedTree:
    """The files, folders and links of an archive, below one folder.

    Links are made last, by `finish`, so that no file is ever written through one. A hard link
    becomes a copy of the file that it names.
    """

    def __init__(self, archive: Path, folder: Path) -> None:
        self._archive = archive
        self._folder = Path(os.path.realpath(folder))
        self._links: dict[Path, str] = {}
        self._count = 0
        self._size = 0

    def refuse(self, reason: str) -> ArchiveError:
        """Return the error for an entry that is not accepted."""
        return ArchiveError(f"{self._archive} is refused: {reason}")

    def place(self, name: str, size: int) -> Path | None:
        """Count an entry and return where it belongs; None if macOS added it.

        Raises:
            ArchiveError: it points outside the folder, or the archive is too large.
        """
        self._count += 1
        self._size += size
        if self._count > MAX_FILES:
            raise self.refuse(f"it holds more than {MAX_FILES:,} files")
        if self._size > MAX_BYTES:
            raise self.refuse(f"it is over {MAX_BYTES:,} bytes when unpacked")
        paths = (PurePosixPath(name), PureWindowsPath(name))
        if any(path.is_absolute() or path.drive or ".." in path.parts for path in paths):
            raise self.refuse(f"its entry {name!r} points outside the folder")
        if _is_of_macos(name):
            return None
        return self._folder / PurePosixPath(name)

    def add_folder(self, place: Path) -> None:
        """Make a folder."""
        place.mkdir(parents=True, exist_ok=True)

    def add_file(self, place: Path, content: IO[bytes], is_program: bool) -> None:
        """Write a file; a second one of the same name replaces the first."""
        self._links.pop(place, None)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        with place.open("xb") as opened:
            shutil.copyfileobj(content, opened)
        place.chmod(0o755 if is_program else 0o644)

    def add_link(self, place: Path, target: str) -> None:
        """Remember a symbolic link."""
        self._links[place] = target

    def add_copy(self, place: Path, target: str) -> None:
        """Copy an earlier file, for a hard link to it."""
        original = self._folder / PurePosixPath(target)
        shown = place.relative_to(self._folder)
        if ".." in PurePosixPath(target).parts or PurePosixPath(target).is_absolute():
            raise self.refuse(f"its link {str(shown)!r} points outside the folder")
        if not original.is_file():
            raise self.refuse(f"its link {str(shown)!r} leads to {target!r}, which does not exist")
        self.place(target, original.stat().st_size)  # a copy takes room, as a file does
        place.parent.mkdir(parents=True, exist_ok=True)
        if place != original:
            place.unlink(missing_ok=True)
            shutil.copy(original, place)

    def finish(self) -> None:
        """Make the links.

        Raises:
            ArchiveError: a link leads outside the folder, or nowhere.
        """
        # All folders before the first link: none may be made through one.
        for place in self._links:
            place.parent.mkdir(parents=True, exist_ok=True)
        for place, target in self._links.items():
            shown = str(place.relative_to(self._folder))
            if PurePosixPath(target).is_absolute() or PureWindowsPath(target).drive:
                raise self.refuse(f"its link {shown!r} points outside the folder")
            if place.is_dir() and not place.is_symlink():
                raise self.refuse(f"its entry {shown!r} is both a link and a folder")
            if os.path.realpath(place.parent, strict=True) != str(place.parent):
                raise self.refuse(f"its link {shown!r} is inside another link")
            place.unlink(missing_ok=True)
            place.symlink_to(target)
        for place, target in self._links.items():
            self._check_link(place, target)

    def _check_link(self, place: Path, target: str) -> None:
        shown = str(place.relative_to(self._folder))
        try:
            # strict: a path that is too long to follow must not pass as one inside the folder
            found = Path(os.path.realpath(place, strict=True))
        except OSError:
            place.unlink()
            raise self.refuse(
                f"its link {shown!r} leads to {target!r}, which does not exist"
            ) from None
        if not found.is_relative_to(self._folder):
            place.unlink()
            raise self.refuse(f"its link {shown!r} points outside the folder")


def _is_of_macos(name: str) -> bool:
    """Whether macOS added the entry: extended attributes of a file, or the view of a folder."""
    parts = PurePosixPath(name).parts
    return any(part in _OF_MACOS or part.startswith("._") for part in parts)
