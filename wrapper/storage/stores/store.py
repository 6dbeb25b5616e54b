"""What a storage can do, and the faults that it tells apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ...errors import StorageError
from ..format.encoded import Encoded

if TYPE_CHECKING:
    from ...config.storage_settings import StorageSettings


class Missing(StorageError):
    """There is nothing at the path; it may be a moment early."""


class Unavailable(StorageError):
    """The storage does not answer, or says that it cannot now: another try may succeed."""


class Store(Protocol):
    """Files, or S3."""

    def read(self, path: str) -> Encoded:
        """What is stored at a checked path.

        Raises:
            StorageError: it cannot be read; the text begins with why, and names the storage.
        """

    def write(self, path: str, encoded: Encoded) -> None:
        """Store at a checked path, in place of what may be there: whole, or not at all.

        Raises:
            StorageError: it cannot be written; the text as that of `read`.
        """


def open_store(settings: StorageSettings) -> Store:
    """The storage that the settings name; nothing is said to it yet."""
    if settings.kind == "s3":
        from .s3_store import S3Store

        return S3Store(settings.s3, settings.retry_timeout)
    from .file_store import FileStore

    return FileStore(settings.folder)
