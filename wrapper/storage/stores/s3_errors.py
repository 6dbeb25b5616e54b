"""Turns errors of the S3 library into one sentence, and decides which may be temporary."""

from __future__ import annotations

import re

from ...errors import StorageError
from .store import Missing, Unavailable

_STATUS = re.compile(r"status(?: code)?:? (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_CAUSE = re.compile(r'message: "([^"]{1,120})"')
_NO_SPACE = ("StorageFull", "QuotaExceeded", "EntityTooLarge", "ENOSPC")
_NO_PERMISSION = (401, 403)
_TEMPORARY = (408, 409, 425, 429)
_LONGEST = 200  # characters
# The address of a proxy that does not exist; `s3_store` says what for.
NOWHERE = "127.0.0.1:0"


def explain(error: Exception, bucket: str, where: str) -> StorageError:
    """Return a StorageError that explains an error of the library.

    Args:
        error: The library's error.
        bucket: Name of the bucket that was used.
        where: The service and its setting, for the message.
    """
    text = str(error)
    status, code = _first(_STATUS, text), _first(_CODE, text)
    number = int(status) if status else 0
    if code == "NoSuchBucket" or "NoSuchBucket" in text:
        return StorageError(f"the bucket {bucket!r} does not exist ({where})")
    if any(word in text for word in _NO_SPACE):
        return StorageError(f"no space is left ({code or number}; {where})")
    if isinstance(error, FileNotFoundError):
        return Missing(f"the object does not exist ({where})")
    if number in _NO_PERMISSION or type(error).__name__ in (
        "PermissionDeniedError",
        "UnauthenticatedError",
    ):
        reason = f"{code}; " if code else ""
        return StorageError(
            "the service denies access: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
            f"({reason}{where})"
        )
    if NOWHERE in text or 300 <= number < 400:
        return StorageError(
            "the service redirects the request to another address, which is not followed: set "
            f"S3_ENDPOINT_URL to the address of the service itself ({where})"
        )
    if number >= 500 or number in _TEMPORARY:
        return Unavailable(
            f"the service responds with {number}{f' {code}' if code else ''} ({where})"
        )
    if number or isinstance(error, ValueError):
        return StorageError(f"the service rejects the request: {code or _short(text)} ({where})")
    if "InvalidCertificate" in text or "certificate" in text.lower():
        return StorageError(
            "the service's certificate is not valid: set AWS_CA_BUNDLE to the certificate file of "
            f"its authority, or S3_VERIFY_SSL to false ({where})"
        )
    return Unavailable(f"the service does not respond: {_cause(text)} ({where})")


def _cause(text: str) -> str:
    cause = _first(_CAUSE, text)
    if cause:
        return cause[:1].lower() + cause[1:]
    return "the request timed out" if "TimedOut" in text else _short(text)


def _short(text: str) -> str:
    line = text.partition("\n")[0].rpartition(" - ")[2]
    return line[:_LONGEST].rstrip()


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1) if found else ""
