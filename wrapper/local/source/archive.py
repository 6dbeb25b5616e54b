"""Unpacks an archive of an algorithm's code: .tar.gz, .tar or .zip, as HKube accepts it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from .unpacking import MAX_BYTES, ArchiveError, UnpackedTree

__all__ = ["SUFFIXES", "ArchiveError", "is_archive", "unpack"]

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
MAX_HEADER = 1_000_000
"""Bytes of one header of a tar; real ones hold a name. Python reads a header into memory whole."""
MAX_LINK = 4096
"""Bytes of a link's target in a zip: the longest path of the system."""

_OPENERS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(ValueError, OverflowError),  # a null byte in a name; an impossible number
    *(RuntimeError, NotImplementedError),  # a password; an unknown compression
)


def is_archive(path: Path) -> bool:
    """Whether a path names an archive, by its suffix."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an untrusted archive into an empty folder.

    Nothing is written outside the folder, whatever the version of Python. Entries and links that
    point outside it, devices, and archives that are too large when unpacked are refused. The extra
    files of macOS (`__MACOSX`, `._main.py`) are skipped.

    Returns:
        The folder with the code: the archive's only folder if it holds nothing else.

    Raises:
        ArchiveError: the archive cannot be read, or one of its entries is refused.
    """
    tree = UnpackedTree(archive, folder)
    try:
        if archive.name.lower().endswith(".zip"):
            _unpack_zip(archive, tree)
        else:
            _unpack_tar(archive, tree)
        tree.finish()
    except OSError as error:
        raise ArchiveError(f"cannot unpack {archive}: {error.strerror or error}") from error
    except _BROKEN as error:
        raise ArchiveError(f"cannot unpack {archive}: {_reason(error)}") from error
    entries = list(folder.iterdir())
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink():
        return entries[0]
    return folder


class _LimitedStream(io.RawIOBase):
    """A decompressed tar: no read is larger than a header may be, and the whole has a limit."""

    def __init__(self, stream: IO[bytes], tree: UnpackedTree) -> None:
        self._stream = stream
        self._tree = tree

    def read(self, size: int = -1) -> bytes:
        """Read some bytes; tarfile asks for a header in one read."""
        if size < 0 or size > MAX_HEADER:
            raise self._tree.refuse(f"one of its headers is over {MAX_HEADER:,} bytes")
        data = self._stream.read(size)
        self._check(self._stream.tell())
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move forwards; a compressed stream is decompressed up to there."""
        self._check(offset)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the place in the decompressed stream."""
        return self._stream.tell()

    def _check(self, place: int) -> None:
        if place > 2 * MAX_BYTES:  # headers and padding count too
            raise self._tree.refuse("it is too large when unpacked")


def _unpack_tar(archive: Path, tree: UnpackedTree) -> None:
    with archive.open("rb") as raw:
        start = raw.read(6)
    opener = next((each for magic, each in _OPENERS.items() if start.startswith(magic)), _as_it_is)
    with (
        opener(archive) as stream,
        tarfile.open(fileobj=cast("Any", _LimitedStream(stream, tree)), mode="r:") as opened,
    ):
        for member in opened:
            place = tree.place(member.name, member.size if member.isreg() else 0)
            if place is None:
                continue
            if member.isdir():
                tree.add_folder(place)
            elif member.issym():
                tree.add_link(place, member.linkname)
            elif member.islnk():
                tree.add_copy(place, member.linkname)
            elif member.isreg():
                content = opened.extractfile(member)
                assert content is not None, "a regular file has content"
                tree.add_file(place, content, bool(member.mode & 0o100))
            else:
                raise tree.refuse(f"its entry {member.name!r} is a device or a pipe")


def _unpack_zip(archive: Path, tree: UnpackedTree) -> None:
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            # Some tools of Windows write pkg\helper.py.
            name = entry.filename.replace("\\", "/")
            place = tree.place(name, entry.file_size)
            if place is None:
                continue
            mode = entry.external_attr >> 16
            if name.endswith("/"):
                tree.add_folder(place)
                continue
            with opened.open(entry) as content:
                if stat.S_ISLNK(mode):
                    target = content.read(MAX_LINK).decode("utf-8", "surrogateescape")
                    tree.add_link(place, target)
                else:
                    tree.add_file(place, content, bool(mode & 0o100))


def _as_it_is(archive: Path) -> IO[bytes]:
    return archive.open("rb")


def _reason(error: Exception) -> str:
    text = str(error)
    if isinstance(error, tarfile.ReadError) and "header" in text:
        return "it is not a tar archive"
    if not text:  # an EOFError inside a compressed file
        return "it ends too early"
    return " ".join(f"{text[:1].lower()}{text[1:]}".split())
