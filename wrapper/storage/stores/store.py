"""The interface of a store, and the errors that it distinguishes."""

from __future__ import annotations

from typing import Protocol

from ...errors import StorageError
from ..format.encoded import Encoded


class Missing(StorageError):
    """Nothing is stored at the path, or not yet."""


class Unavailable(StorageError):
    """The storage cannot be used at the moment; a retry may succeed."""


class Store(Protocol):
    """A place for stored values: files or S3.

    Attributes:
        readers: The number of reads at the same time that pays off.
        is_local: Whether a small read usually takes microseconds, without a network.
    """

    readers: int
    is_local: bool

    def read(self, path: str) -> Encoded:
        """Return the value at a checked path.

        Raises:
            StorageError: It cannot be read; the message gives the reason and names the storage.
        """

    def write(self, path: str, encoded: Encoded) -> None:
        """Store a value at a checked path, replacing any other, completely or not at all.

        Raises:
            StorageError: It cannot be written; the message is like that of `read`.
        """
