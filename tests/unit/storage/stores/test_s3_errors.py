"""Explanations of the S3 library's errors; test_s3_store has errors of a real server."""

from __future__ import annotations

import pytest

from wrapper.errors import StorageError
from wrapper.storage.stores.s3_errors import explain
from wrapper.storage.stores.store import Missing, Unavailable


class GenericError(Exception):
    """An error named like the library's."""


class PermissionDeniedError(Exception):
    """An error named like the library's."""


@pytest.mark.parametrize(
    "error, kind, text",
    [
        (
            FileNotFoundError("Object at location x not found: 404"),
            Missing,
            "object does not exist",
        ),
        (FileNotFoundError("<Code>NoSuchBucket</Code>"), StorageError, "bucket 'b' does not exist"),
        (PermissionDeniedError("no"), StorageError, "AWS_ACCESS_KEY_ID"),
        (
            GenericError("status 500 Internal: <Code>Oops</Code>"),
            Unavailable,
            "responds with 500 Oops",
        ),
        (GenericError("status code: 418 teapot"), StorageError, "rejects the request"),
        (GenericError("it - failed: TimedOut"), Unavailable, "the request timed out"),
        (GenericError('it - failed\n message: "Host unreachable"'), Unavailable, "host unreach"),
        (GenericError("invalid peer certificate: Expired"), StorageError, "S3_VERIFY_SSL"),
        (GenericError("QuotaExceeded"), StorageError, "no space is left"),
        (ValueError("bad endpoint"), StorageError, "rejects the request: bad endpoint"),
        (GenericError(""), Unavailable, "does not respond"),
        (GenericError("x" * 10_000), Unavailable, "does not respond"),
    ],
)
def test_library_errors_are_explained(
    error: Exception, kind: type[StorageError], text: str
) -> None:
    explained = explain(error, "b", "S3 storage at http://s3")
    assert type(explained) is kind
    assert text in str(explained)
    assert "\n" not in str(explained) and len(str(explained)) < 400
    assert "S3 storage at http://s3" in str(explained)
