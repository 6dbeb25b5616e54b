"""Stores values as files in a folder: HKube's header, then the payload."""

from __future__ import annotations

import errno
import os
from itertools import count

from ...errors import StorageError
from ..format.encoded import Encoded
from ..format.header import HEADER_SIZE, read_header
from .store import Missing, Unavailable

# The kernel writes at most 2 GB per call.
_MOST_AT_ONCE = 1024 * 1024 * 1024
_numbers = count(1)

# Errors of a network file system whose server is temporarily unreachable.
_PASSING = frozenset(
    (
        errno.EAGAIN,
        errno.EBUSY,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EINTR,
        errno.EIO,
        errno.ENOTCONN,
        errno.ESTALE,
        errno.ETIMEDOUT,
    )
)


class FileStore:
    """Reads and writes files below a folder (see `store.Store`).

    Args:
        folder: Absolute path; the folder is created on the first write if necessary.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def read(self, path: str) -> Encoded:
        file = self._file(path)
        try:
            # Unbuffered, so that the payload is read directly into its final memory.
            with open(file, "rb", buffering=0) as opened:
                head = opened.read(HEADER_SIZE)
                if read_header(head) is None:
                    opened.seek(0)
                    return Encoded(b"", opened.readall())
                return Encoded(head, opened.readall())
        except OSError as error:
            raise self._storage_error(error) from None

    def write(self, path: str, encoded: Encoded) -> None:
        file = self._file(path)
        folder, name = os.path.split(file)
        part = os.path.join(folder, f".{name[:200]}.{os.getpid()}-{next(_numbers)}.part")
        try:
            os.makedirs(folder, exist_ok=True)
            try:
                with open(part, "xb", buffering=0) as opened:
                    _write_all(opened.fileno(), encoded)
                # Atomic: readers see all of the new value or none of it.
                os.replace(part, file)
            except BaseException:  # including AlgorithmStopped: leave no partial file
                _remove(part)
                raise
        except OSError as error:
            raise self._storage_error(error) from None

    def _file(self, path: str) -> str:
        file = os.path.join(self._folder, *path.split("/"))
        # A link inside the folder must not lead out of it either.
        base = os.path.realpath(self._folder)
        if os.path.commonpath((base, os.path.realpath(file))) != base:
            raise StorageError(f"its path {path!r} leads out of the storage folder {base}")
        return file

    def _storage_error(self, error: OSError) -> StorageError:
        reason = error.strerror or type(error).__name__
        where = f"storage folder {self._folder}, set by BASE_FS_ADAPTER_DIRECTORY"
        if isinstance(error, FileNotFoundError):
            if not os.path.isdir(self._folder):
                return Unavailable(f"the storage folder does not exist ({where})")
            return Missing(f"the file does not exist ({where})")
        if isinstance(error, PermissionError):
            return StorageError(f"this container has no permission ({where})")
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StorageError(f"no space is left ({where})")
        kind = Unavailable if error.errno in _PASSING else StorageError
        return kind(f"{reason[:1].lower()}{reason[1:]} ({where})")


def _write_all(fd: int, encoded: Encoded) -> None:
    for piece in encoded:
        rest = memoryview(piece).cast("B")
        while rest:
            rest = rest[os.write(fd, rest[:_MOST_AT_ONCE]) :]


def _remove(file: str) -> None:
    try:
        os.unlink(file)
    except OSError:
        pass  # it was not created, or was already moved into place
