"""Sentences for what the S3 library raises; the real ones are in test_storage_s3_store."""

from __future__ import annotations

import pytest

from wrapper.errors import StorageError
from wrapper.storage.stores.s3_errors import explain
from wrapper.storage.stores.store import Missing, Unavailable


class GenericError(Exception):
    """Named as the library's."""


class PermissionDeniedError(Exception):
    """Named as the library's."""


@pytest.mark.parametrize(
    "error, kind, text",
    [
        (FileNotFoundError("Object at location x not found: 404"), Missing, "no such object"),
        (FileNotFoundError("<Code>NoSuchBucket</Code>"), StorageError, "no bucket 'b'"),
        (PermissionDeniedError("no"), StorageError, "AWS_ACCESS_KEY_ID"),
        (GenericError("status 500 Internal: <Code>Oops</Code>"), Unavailable, "answers 500 Oops"),
        (GenericError("status code: 418 teapot"), StorageError, "refuses it"),
        (GenericError("it - failed: TimedOut"), Unavailable, "it took too long"),
        (GenericError('it - failed\n message: "Host unreachable"'), Unavailable, "host unreach"),
        (GenericError("invalid peer certificate: Expired"), StorageError, "S3_VERIFY_SSL"),
        (GenericError("QuotaExceeded"), StorageError, "no space is left"),
        (ValueError("bad endpoint"), StorageError, "refuses it: bad endpoint"),
        (GenericError(""), Unavailable, "does not answer"),
        (GenericError("x" * 10_000), Unavailable, "does not answer"),
    ],
)
def test_sentences(error: Exception, kind: type[StorageError], text: str) -> None:
    told = explain(error, "b", "the storage is S3 at http://s3")
    assert type(told) is kind
    assert text in str(told)
    assert "\n" not in str(told) and len(str(told)) < 400
    assert "the storage is S3 at http://s3" in str(told)
