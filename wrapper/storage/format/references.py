"""Parses the references to stored values in a job: its `flatInput` and `storage`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...errors import StorageError
from .object_path import check_path, task_path

_MARK = "$$"
_LONGEST_INNER = 4096  # characters
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")  # a host name, or an IPv4 or IPv6 address


class Peer(NamedTuple):
    """Another algorithm, which may hold results in memory."""

    host: str
    port: int


class StoredReference(NamedTuple):
    """A reference to one stored value.

    Attributes:
        path: Path in the storage.
        size: Size of the payload in bytes; None if HKube does not say.
        inner: Dotted path to the requested part of the value; empty for all of it.
        peer: Peer to ask before the storage; None to ask no peer.
        task_id: Task whose result to request from the peer.
    """

    path: str
    size: int | None = None
    inner: str = ""
    peer: Peer | None = None
    task_id: str = ""


class StoragePlaceholder(NamedTuple):
    """A place in the input that is filled with stored values.

    Attributes:
        position: Dotted path of the place.
        key: The key in `storage` that names the values.
        links: One reference for each value.
        is_batch: Whether the place gets a list of the values rather than a single value.
    """

    position: str
    key: str
    links: list[StoredReference]
    is_batch: bool


def references(job: Mapping[str, Any], cluster: str) -> Iterator[StoragePlaceholder]:
    """Yield the places in a job's input to fill from the storage.

    Args:
        job: The data of the `initialize` message.
        cluster: Name of the cluster, which starts the path of links that only name tasks.

    Raises:
        StorageError: A link is missing or invalid; the message names its key.
    """
    flat, storage = job.get("flatInput"), job.get("storage")
    if not isinstance(flat, Mapping):
        return
    for position, value in flat.items():
        if not isinstance(value, str) or not value.startswith(_MARK):
            continue
        key = value[len(_MARK) :]
        found = storage.get(key) if isinstance(storage, Mapping) else None
        if found is None:
            raise StorageError(
                f"input.{position} refers to {value}, but HKube sent no link with the key {key!r}"
            )
        try:
            links = [link for each in _listed(found) for link in _read(each, job, cluster)]
        except StorageError as error:
            raise StorageError(f"the link {key!r} of input.{position}: {error}") from None
        yield StoragePlaceholder(str(position), key, links, isinstance(found, list))


def result_link(response: object) -> StoredReference | None:
    """Return the link in the answer to a call of HKubeApi; None if the answer is the value.

    Raises:
        StorageError: The link is invalid.
    """
    if not isinstance(response, Mapping) or not isinstance(response.get("storageInfo"), Mapping):
        return None
    return next(_read(response, {}, ""))


def _listed(found: object) -> list[object]:
    return found if isinstance(found, list) else [found]


def _read(link: object, job: Mapping[str, Any], cluster: str) -> Iterator[StoredReference]:
    if not isinstance(link, Mapping):
        raise StorageError(f"it must be an object, not {type(link).__name__}")
    inner, info, tasks = link.get("path"), link.get("storageInfo"), link.get("tasks")
    peer = _read_peer(link.get("discovery"))
    inner = inner if isinstance(inner, str) else ""
    if len(inner) > _LONGEST_INNER:
        raise StorageError(
            f"its path inside the value is longer than {_LONGEST_INNER:,} characters"
        )
    if isinstance(info, Mapping):
        task_id = link.get("taskId")
        asked = peer if task_id else None
        yield StoredReference(
            check_path(info.get("path")), _size(info), inner, asked, str(task_id) if asked else ""
        )
    elif isinstance(tasks, list) and peer is not None:
        for task in map(str, tasks):
            yield StoredReference(
                task_path(cluster, str(job.get("jobId")), task), None, inner, peer, task
            )
    elif peer is not None and link.get("taskId"):
        task = str(link["taskId"])
        yield StoredReference(
            task_path(cluster, str(job.get("jobId")), task), None, inner, peer, task
        )
    else:
        raise StorageError("it names neither a storage path nor the tasks of a peer")


def _size(info: Mapping[str, Any]) -> int | None:
    size = info.get("size")
    return size if isinstance(size, int) and not isinstance(size, bool) else None


def _read_peer(discovery: object) -> Peer | None:
    if not isinstance(discovery, Mapping):
        return None
    host, port = discovery.get("host"), str(discovery.get("port"))
    if (
        not isinstance(host, str)
        or not _HOST.fullmatch(host)
        or not port.isdecimal()
        or not port.isascii()
    ):
        return None
    # Pings use the next port, so the highest one is not valid.
    return Peer(host, int(port)) if len(port) < 6 and 0 < int(port) < 65535 else None
