"""The paths of what is stored: `local-hkube/JOB/TASK`. The first part is the bucket in S3."""

from __future__ import annotations

import re

from ...errors import StorageError

# What S3 and its look-alikes take as the name of a bucket.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST = 1024  # bytes: the longest key of S3


def task_path(cluster: str, job_id: str, task_id: str) -> str:
    """Where the result of a task is.

    Raises:
        StorageError: the ids make no path.
    """
    return check_path(f"{cluster}-hkube/{job_id}/{task_id}")


def check_path(path: object) -> str:
    """A path that came from the wire, once it is known to stay where it belongs.

    Raises:
        StorageError: it would lead out of the storage, or is none.
    """
    if not isinstance(path, str):
        raise StorageError(f"its path must be text, not {type(path).__name__}")
    shown = repr(path if len(path) <= 200 else path[:200] + "…")
    if "://" in path:
        raise StorageError(f"its path {shown} is a URL, not a path in HKube's storage")
    parts = path.split("/")
    if len(parts) < 2 or not _BUCKET.fullmatch(parts[0]):
        raise StorageError(f"its path {shown} does not begin with a bucket, as in local-hkube/…")
    if any(part in ("", ".", "..") for part in parts):
        raise StorageError(f"its path {shown} has an empty part, or one that leads elsewhere")
    if "\\" in path or not path.isprintable():
        raise StorageError(f"its path {shown} has characters that a path must not have")
    if len(path.encode()) > _LONGEST:
        raise StorageError(f"its path {shown} is longer than {_LONGEST:,} bytes")
    return path


def bucket_and_key(path: str) -> tuple[str, str]:
    """The two parts of a checked path."""
    bucket, _, key = path.partition("/")
    return bucket, key
