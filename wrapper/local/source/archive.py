"""Unpacks an archive of an algorithm's code: .tar.gz, .tar or .zip, as HKube accepts it."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from ...errors import WrapperError

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
MAX_FILES = 100_000
MAX_BYTES = 8 * 1024**3
"""The limit when unpacked; code takes megabytes, so more is a mistake or an attack."""

_OF_MACOS = ("__MACOSX", ".DS_Store")

_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(ValueError, OverflowError),  # a null byte in a name; an impossible time
    *(RuntimeError, NotImplementedError),  # a password; an unknown compression
)


class ArchiveError(WrapperError):
    """An archive cannot be unpacked; the message names it and says why."""

    code = "ArchiveError"


def is_archive(path: Path) -> bool:
    """Whether a path names an archive, by its suffix."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an untrusted archive into an empty folder.

    Nothing is written outside the folder. Entries and links that point outside it, devices, and
    archives that are too large when unpacked are refused. The extra files of macOS (`__MACOSX`,
    `._main.py`) are skipped.

    Returns:
        The folder with the code: the archive's only folder if it holds nothing else.

    Raises:
        ArchiveError: the archive cannot be read, or one of its entries is refused.
    """
    try:
        if archive.name.lower().endswith(".zip"):
            _unpack_zip(archive, folder)
        else:
            _unpack_tar(archive, folder)
    except OSError as error:
        raise ArchiveError(f"cannot unpack {archive}: {error.strerror or error}") from error
    except _BROKEN as error:
        raise ArchiveError(f"cannot unpack {archive}: {_reason(error)}") from error
    entries = list(folder.iterdir())
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink():
        return entries[0]
    return folder


def _unpack_tar(archive: Path, folder: Path) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise ArchiveError(
            f"cannot unpack {archive}: this Python is too old to do it safely; "
            "use 3.10.12, 3.11.4 or newer, or unpack it yourself and pass the folder"
        )
    with tarfile.open(archive) as opened:
        count = size = 0
        for member in opened:
            count, size = count + 1, size + member.size
            _check_limits(archive, count, size)
            _check_name(archive, member.name)
            if _is_of_macos(member.name):
                continue
            try:
                opened.extract(member, folder, filter="data")
            except tarfile.FilterError as error:
                raise ArchiveError(f"{archive} is refused: {_lowered(str(error))}") from error


def _unpack_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        count = size = 0
        for entry in opened.infolist():
            count, size = count + 1, size + entry.file_size
            _check_limits(archive, count, size)
            _check_name(archive, entry.filename)
            if _is_of_macos(entry.filename):
                continue
            opened.extract(entry, folder)  # writes at most file_size bytes; links become files


def _check_limits(archive: Path, count: int, size: int) -> None:
    if count > MAX_FILES:
        raise ArchiveError(f"{archive} is refused: it holds more than {MAX_FILES:,} files")
    if size > MAX_BYTES:
        raise ArchiveError(f"{archive} is refused: it is over {MAX_BYTES:,} bytes when unpacked")


def _check_name(archive: Path, name: str) -> None:
    paths = (PurePosixPath(name), PureWindowsPath(name))
    if any(path.is_absolute() or path.drive or ".." in path.parts for path in paths):
        raise ArchiveError(f"{archive} is refused: its entry {name!r} points outside the folder")


def _is_of_macos(name: str) -> bool:
    """Whether macOS added the entry: extended attributes of a file, or the view of a folder."""
    parts = PurePosixPath(name).parts
    return any(part in _OF_MACOS or part.startswith("._") for part in parts)


def _reason(error: Exception) -> str:
    text = str(error)
    if not text:  # an EOFError inside a compressed file
        return "it ends too early"
    if "\n" in text:  # tarfile lists an error for each format that it tried
        return "it is not a tar archive"
    return _lowered(text)


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
