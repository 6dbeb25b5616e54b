"""What a storage can do, and the faults that it tells apart."""

from __future__ import annotations

from typing import Protocol

from ...errors import StorageError
from ..format.encoded import Encoded


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
