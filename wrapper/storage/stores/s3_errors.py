"""What the S3 library raises → one sentence, and whether another try may succeed."""

from __future__ import annotations

import re

from ...errors import StorageError
from .store import Missing, Unavailable

_STATUS = re.compile(r"status(?: code)?:? (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_CAUSE = re.compile(r'message: "([^"]{1,120})"')
_NO_SPACE = ("StorageFull", "QuotaExceeded", "EntityTooLarge", "ENOSPC")
_NO_PERMISSION = (401, 403)
_PASSING = (408, 409, 425, 429)
_LONGEST = 200  # characters


def explain(error: Exception, bucket: str, where: str) -> StorageError:
    """The sentence for an error of the library.

    Args:
        error: what it raised.
        bucket: which was asked for.
        where: the service and its setting, for the text.
    """
    text = str(error)
    status, code = _first(_STATUS, text), _first(_CODE, text)
    number = int(status) if status else 0
    if code == "NoSuchBucket" or "NoSuchBucket" in text:
        return StorageError(f"there is no bucket {bucket!r} ({where})")
    if any(word in text for word in _NO_SPACE):
        return StorageError(f"no space is left for it ({code or number}; {where})")
    if isinstance(error, FileNotFoundError):
        return Missing(f"there is no such object ({where})")
    if number in _NO_PERMISSION or type(error).__name__ in (
        "PermissionDeniedError",
        "UnauthenticatedError",
    ):
        told = f"{code}; " if code else ""
        return StorageError(
            "the service refuses it to this container: look at AWS_ACCESS_KEY_ID and "
            f"AWS_SECRET_ACCESS_KEY ({told}{where})"
        )
    if number >= 500 or number in _PASSING:
        return Unavailable(f"the service answers {number}{f' {code}' if code else ''} ({where})")
    if number or isinstance(error, ValueError):
        return StorageError(f"the service refuses it: {code or _short(text)} ({where})")
    if "InvalidCertificate" in text or "certificate" in text.lower():
        return StorageError(
            "the service's certificate is not valid: set S3_VERIFY_SSL to false, or AWS_CA_BUNDLE "
            f"to the file of its authority ({where})"
        )
    return Unavailable(f"the service does not answer: {_cause(text)} ({where})")


def _cause(text: str) -> str:
    cause = _first(_CAUSE, text)
    if cause:
        return cause[:1].lower() + cause[1:]
    return "it took too long" if "TimedOut" in text else _short(text)


def _short(text: str) -> str:
    line = text.partition("\n")[0].rpartition(" - ")[2]
    return line[:_LONGEST].rstrip()


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1) if found else ""
