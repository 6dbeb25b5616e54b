"""The paths of stored objects: `local-hkube/JOB/TASK`. In S3, the first part is the bucket."""

from __future__ import annotations

import re

from ...errors import StorageError

# The bucket names that S3 and compatible services accept.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST = 1024  # bytes: the longest key of S3


def task_path(cluster: str, job_id: str, task_id: str) -> str:
    """Return the path of a task's result.

    Raises:
        StorageError: The ids do not form a valid path.
    """
    return check_path(f"{cluster}-hkube/{job_id}/{task_id}")


def check_path(path: object) -> str:
    """Return a path from a message after checking that it stays inside the storage.

    Raises:
        StorageError: The path is invalid or leads out of the storage.
    """
    if not isinstance(path, str):
        raise StorageError(f"its path must be a string, not {type(path).__name__}")
    shown = repr(path if len(path) <= 200 else path[:200] + "…")
    if "://" in path:
        raise StorageError(f"its path {shown} is a URL, not a path in HKube's storage")
    parts = path.split("/")
    if len(parts) < 2 or not _BUCKET.fullmatch(parts[0]):
        raise StorageError(f"its path {shown} does not start with a bucket, as in local-hkube/…")
    if any(part in ("", ".", "..") for part in parts):
        raise StorageError(f"its path {shown} has a part that is empty, '.' or '..'")
    if "\\" in path or not path.isprintable():
        raise StorageError(f"its path {shown} contains characters that are not allowed")
    if len(path.encode()) > _LONGEST:
        raise StorageError(f"its path {shown} is longer than {_LONGEST:,} bytes")
    return path


def bucket_and_key(path: str) -> tuple[str, str]:
    """Split a checked path into its bucket and its key."""
    bucket, _, key = path.partition("/")
    return bucket, key
