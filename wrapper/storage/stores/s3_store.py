"""Stores values in S3: an object holds the payload, its user metadata holds HKube's header.

The library is obstore; docs/storage.md compares it with others. It is imported on the first use
of S3, and not at all if the storage is files.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...errors import StorageError
from ...text.redaction import redacted
from ..format.encoded import Encoded
from ..format.header import HEADER_SIZE
from ..format.object_path import bucket_and_key
from .s3_errors import NOWHERE, explain

if TYPE_CHECKING:
    from obstore.store import S3Store as Bucket

    from ...config.storage_settings import S3Settings

_METADATA = "header"
_MULTIPART_ABOVE = 64 * 1024 * 1024
_PART = 16 * 1024 * 1024
_PARTS_AT_ONCE = 4
_CONNECT_TIMEOUT = timedelta(seconds=5)
# For a whole object, even if the service sends a byte now and then; a stalled connection is noticed
# much earlier. What would take longer at `_SLOWEST` counts as large.
_TIMEOUT = timedelta(seconds=60)
_TIMEOUT_OF_LARGE = timedelta(hours=1)
_SLOWEST = 100_000  # bytes per second
# If a service accepts a request but does not respond, `retries` asks again. Each attempt takes part
# of the patience, but a slow service must have time to respond.
_TRIES = 3
_SHORTEST_SILENCE = 5.0
# A larger object takes long to send, without any response meanwhile, so one attempt may take all of
# the patience. The library resends failed parts of a multipart upload within that time.
_SMALL = 1024 * 1024
_RETRIES_OF_LARGE = 2


class S3Store:
    """Reads and writes objects (see `store.Store`).

    Args:
        settings: The service and its credentials.
        patience: Seconds for which failed requests are retried.
    """

    readers = 32  # they wait for the network
    is_local = False

    def __init__(self, settings: S3Settings, patience: float) -> None:
        self._settings = settings
        self._patience = patience
        self._buckets: dict[tuple[str, bool], Bucket] = {}

    def read(self, path: str) -> Encoded:
        bucket, key = bucket_and_key(path)
        with self._explained_errors(bucket):
            found = self._bucket(bucket).get(key)
            if found.meta["size"] > _TIMEOUT.total_seconds() * _SLOWEST:
                found = self._bucket(bucket, is_large=True).get(key)
            header = _decode_header(found.attributes.get(_METADATA, ""))
            return Encoded(header, memoryview(found.bytes()))

    def write(self, path: str, encoded: Encoded) -> None:
        bucket, key = bucket_and_key(path)
        attributes = {}
        if encoded.header:
            attributes[_METADATA] = base64.b64encode(encoded.header).decode("ascii")
        with self._explained_errors(bucket):
            self._bucket(bucket, is_large=encoded.size > _SMALL).put(
                key,
                encoded.payload,
                attributes=attributes,
                use_multipart=encoded.size > _MULTIPART_ABOVE,
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_ONCE,
            )

    def _bucket(self, name: str, is_large: bool = False) -> Bucket:
        found = self._buckets.get((name, is_large))
        if found is None:
            found = self._buckets[name, is_large] = self._open(name, is_large)
        return found

    def _open(self, name: str, is_large: bool) -> Bucket:
        from obstore.store import S3Store as Bucket

        settings = self._settings
        silence = self._patience if is_large else self._patience / _TRIES
        silence = max(silence, _SHORTEST_SILENCE)
        client: dict[str, Any] = {
            "allow_http": True,
            "allow_invalid_certificates": not settings.verify_ssl,
            "connect_timeout": _CONNECT_TIMEOUT,
            "read_timeout": timedelta(seconds=silence),
            "timeout": _TIMEOUT_OF_LARGE if is_large else _TIMEOUT,
        }
        host = urlsplit(settings.endpoint).hostname
        if host and not settings.has_proxy:
            # The library follows redirects and has no option against it. A redirect could lead to
            # any service that this pod reaches, so other hosts are reached through no proxy at all.
            client["proxy_url"], client["proxy_excludes"] = f"http://{NOWHERE}", host
        if settings.ca_file:
            client["root_certificate"] = _read_certificates(settings.ca_file)
        # Without keys, the library would ask Amazon's metadata service for them.
        signed = bool(settings.access_key_id)
        return Bucket(
            name,
            endpoint=settings.endpoint,
            access_key_id=settings.access_key_id,
            secret_access_key=settings.secret_access_key,
            virtual_hosted_style_request=False,
            skip_signature=not signed,
            client_options=client,  # type: ignore[arg-type]
            retry_config={
                "max_retries": _RETRIES_OF_LARGE if is_large else 0,
                "retry_timeout": timedelta(seconds=silence),
            },
        )

    @contextmanager
    def _explained_errors(self, bucket: str) -> Iterator[None]:
        """Turn the library's errors into StorageErrors."""
        try:
            yield
        except StorageError:
            raise
        # The library raises its own class of errors, and also ValueError and FileNotFoundError.
        except Exception as error:
            where = f"S3 storage at {redacted(self._settings.endpoint)}, set by S3_ENDPOINT_URL"
            raise explain(error, bucket, where) from None


def _decode_header(text: str) -> bytes:
    try:
        header = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return header if len(header) == HEADER_SIZE else b""


def _read_certificates(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise StorageError(
            f"cannot read the certificates in {file}, set by AWS_CA_BUNDLE: {error.strerror}"
        ) from None
