"""The storage as S3: an object is a payload, HKube's header is in its user metadata.

The library is obstore (see docs/storage.md for what it was compared with). It is imported when the
storage is first used, and not at all with files.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ...errors import StorageError
from ..format.encoded import Encoded
from ..format.header import HEADER_SIZE
from ..format.object_path import bucket_and_key
from .s3_errors import explain

if TYPE_CHECKING:
    from obstore.store import S3Store as Bucket

    from ...config.storage_settings import S3Settings

_METADATA = "header"
_MULTIPART_ABOVE = 64 * 1024 * 1024
_PART = 16 * 1024 * 1024
_PARTS_AT_ONCE = 4
_CONNECT_TIMEOUT = timedelta(seconds=5)
# For a whole object, however large; a connection that stands still is noticed much earlier.
_WHOLE_TIMEOUT = timedelta(hours=1)
# A service that takes a request and says nothing is asked again, in `retries`: each time takes a
# part of the patience. But a slow one must be able to answer.
_TRIES = 3
_SHORTEST_SILENCE = 5.0
# What is larger takes long to be sent, and nothing is heard meanwhile: it has all of the patience.
# Of what goes in parts, one that fails is sent again by the library, within that time.
_SMALL = 1024 * 1024
_RETRIES_OF_LARGE = 2


class S3Store:
    """Reads and writes objects (see ``store.Store``).

    Args:
        settings: where, and as whom.
        patience: seconds for which what the service cannot do is tried again.
    """

    def __init__(self, settings: S3Settings, patience: float) -> None:
        self._settings = settings
        self._patience = patience
        self._buckets: dict[tuple[str, bool], Bucket] = {}

    def read(self, path: str) -> Encoded:
        bucket, key = bucket_and_key(path)
        with self._told(bucket):
            found = self._bucket(bucket).get(key)
            header = _decode_header(found.attributes.get(_METADATA, ""))
            return Encoded(header, memoryview(found.bytes()))

    def write(self, path: str, encoded: Encoded) -> None:
        bucket, key = bucket_and_key(path)
        attributes = {}
        if encoded.header:
            attributes[_METADATA] = base64.b64encode(encoded.header).decode("ascii")
        with self._told(bucket):
            self._bucket(bucket, sends_much=encoded.size > _SMALL).put(
                key,
                encoded.payload,
                attributes=attributes,
                use_multipart=encoded.size > _MULTIPART_ABOVE,
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_ONCE,
            )

    def _bucket(self, name: str, sends_much: bool = False) -> Bucket:
        found = self._buckets.get((name, sends_much))
        if found is None:
            found = self._buckets[name, sends_much] = self._open(name, sends_much)
        return found

    def _open(self, name: str, sends_much: bool) -> Bucket:
        from obstore.store import S3Store as Bucket

        settings = self._settings
        silence = self._patience if sends_much else self._patience / _TRIES
        silence = max(silence, _SHORTEST_SILENCE)
        client: dict[str, Any] = {
            "allow_http": True,
            "allow_invalid_certificates": not settings.verify_ssl,
            "connect_timeout": _CONNECT_TIMEOUT,
            "read_timeout": timedelta(seconds=silence),
            "timeout": _WHOLE_TIMEOUT,
        }
        if settings.ca_file:
            client["root_certificate"] = _read_certificates(settings.ca_file)
        # Without keys it would ask Amazon's metadata service for some.
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
                "max_retries": _RETRIES_OF_LARGE if sends_much else 0,
                "retry_timeout": timedelta(seconds=silence),
            },
        )

    @contextmanager
    def _told(self, bucket: str) -> Iterator[None]:
        """Say what the library raises in a sentence."""
        try:
            yield
        except StorageError:
            raise
        # The library has its own class of errors, ValueError and FileNotFoundError besides.
        except Exception as error:
            where = f"the storage is S3 at {self._settings.endpoint}, S3_ENDPOINT_URL"
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
            f"the certificates in {file} (AWS_CA_BUNDLE) cannot be read: {error.strerror}"
        ) from None
