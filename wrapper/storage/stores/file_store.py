"""Stores values as files in a folder: HKube's header, then the payload."""

from __future__ import annotations

import errno
import os
import stat
from itertools import count

from ...errors import StorageError
from ..format.encoded import Encoded
from ..format.header import HEADER_SIZE, read_header
from .store import Missing, Unavailable

# The kernel writes at most 2 GB per call.
_MOST_AT_ONCE = 1024 * 1024 * 1024
# A value up to this size is read or written in one call, although it is copied.
_SMALL = 64 * 1024
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


# O_NONBLOCK: a FIFO is opened at once, and then refused, in place of waiting for a writer.
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


class FileStore:
    """Reads and writes files below a folder (see `store.Store`).

    Args:
        folder: Absolute path; the folder is created on the first write if necessary.
    """

    readers = 8
    is_local = True

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def read(self, path: str) -> Encoded:
        try:
            fd = self._open(path)
            try:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise StorageError(f"its path {path!r} is not a regular file")
                return _read_all(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise self._storage_error(error) from None

    def write(self, path: str, encoded: Encoded) -> None:
        folder, _, name = path.rpartition("/")
        file, folder = f"{self._folder}/{path}", f"{self._folder}/{folder}"
        part = f"{folder}/.{name[:200]}.{os.getpid()}-{next(_numbers)}.part"
        try:
            if not self._has_plain_folders(path):
                self._check(path, folder)
                os.makedirs(folder, exist_ok=True)
            try:
                fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
                try:
                    _write_all(fd, encoded)
                finally:
                    os.close(fd)
                # Atomic: readers see all of the new value or none of it. A link is replaced.
                os.replace(part, file)
            except BaseException:  # including AlgorithmStopped: leave no partial file
                _remove(part)
                raise
        except OSError as error:
            raise self._storage_error(error) from None

    def _open(self, path: str) -> int:
        file = f"{self._folder}/{path}"
        if self._has_plain_folders(path):
            try:
                return os.open(file, _READ | os.O_NOFOLLOW)
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
        self._check(path, file)
        return os.open(file, _READ)

    def _has_plain_folders(self, path: str) -> bool:
        """Whether all folders of a path exist and none is a link: the usual case, and fast."""
        end = path.find("/")
        while end > 0:
            try:
                if not stat.S_ISDIR(os.lstat(f"{self._folder}/{path[:end]}").st_mode):
                    return False
            except OSError:
                return False
            end = path.find("/", end + 1)
        return True

    def _check(self, path: str, file: str) -> None:
        """Raise StorageError if a link leads a file or folder out of the storage folder."""
        base = os.path.realpath(self._folder)
        if os.path.commonpath((base, os.path.realpath(file))) != base:
            raise StorageError(f"its path {path!r} leads out of the storage folder {base}")

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


def _read_all(fd: int) -> Encoded:
    data = os.read(fd, _SMALL)
    if len(data) == _SMALL or os.read(fd, 1):  # large, or a file system that reads in small pieces
        return _read_large(fd)
    if read_header(data[:HEADER_SIZE]) is None:
        return Encoded(b"", data)
    return Encoded(data[:HEADER_SIZE], memoryview(data)[HEADER_SIZE:])


def _read_large(fd: int) -> Encoded:
    # Unbuffered, so that the payload is read directly into its final memory.
    with open(fd, "rb", buffering=0, closefd=False) as opened:
        opened.seek(0)
        head = opened.read(HEADER_SIZE)
        if read_header(head) is None:
            opened.seek(0)
            return Encoded(b"", opened.readall())
        return Encoded(head, opened.readall())


def _write_all(fd: int, encoded: Encoded) -> None:
    is_small = encoded.size <= _SMALL
    for piece in (b"".join(encoded),) if is_small else encoded:
        rest = memoryview(piece).cast("B")
        while rest:
            rest = rest[os.write(fd, rest[:_MOST_AT_ONCE]) :]


def _remove(file: str) -> None:
    try:
        os.unlink(file)
    except OSError:
        pass  # it was not created, or was already moved into place
