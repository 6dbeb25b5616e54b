"""Creates the store that the settings describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...config.storage_settings import StorageSettings
    from .store import Store


def open_store(settings: StorageSettings) -> Store:
    """Return the configured store, without connecting to it yet."""
    if settings.kind == "s3":
        from .s3_store import S3Store  # its library is slow to import

        return S3Store(settings.s3, settings.retry_timeout)
    from .file_store import FileStore

    return FileStore(settings.folder)
