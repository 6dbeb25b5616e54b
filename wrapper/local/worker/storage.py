"""HKube's part of storage mode v3, in a local folder: stores inputs and reads results."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, final

from ...errors import StorageError
from ...storage.format.encoded import decode_value, encode_value
from ...storage.format.object_path import check_path, task_path
from ...storage.format.references import StoragePlaceholder, references
from ...storage.stores.file_store import FileStore
from ..scratch import ScratchFolder
from .answers import Call, CallKind, Reply, Result

_CLUSTER = "local"
_ENCODING = "msgpack"
_FOLDER = "BASE_FS_ADAPTER_DIRECTORY"


@final
class LocalStorage:
    """The storage of local algorithms.

    Args:
        folder: the storage's root folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._store = FileStore(str(folder))

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables of an algorithm that uses this storage."""
        return {
            "STORAGE_PROTOCOL": "v3",
            "DEFAULT_STORAGE": "fs",
            _FOLDER: str(self.folder),
            "STORAGE_ENCODING": _ENCODING,
            "CLUSTER_NAME": _CLUSTER,
            # All algorithms on this machine would use the same port.
            "DISCOVERY_ENABLE": "false",
        }

    def stored_job(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Store a job's inputs, and return the job with references to them.

        Raises:
            WrapperError: an input cannot be stored.
        """
        flat: dict[str, str] = {}
        storage: dict[str, Any] = {}
        for number, value in enumerate(job["input"]):
            key = secrets.token_hex(4)
            flat[str(number)] = f"$${key}"
            storage[key] = {"storageInfo": self._put(str(job["jobId"]), key, value, "input")}
        return {**job, "input": list(flat.values()), "flatInput": flat, "storage": storage}

    def result_of(self, storing: object) -> Any:
        """Return the result that an algorithm's `storing` message refers to.

        Raises:
            StorageError: the object does not exist or cannot be read.
        """
        info = storing.get("storageInfo") if isinstance(storing, dict) else None
        if not isinstance(info, dict):
            raise StorageError(
                "`done` came without a `storing` message, which says where the result is"
            )
        return self._get(check_path(info.get("path")), info.get("size"))

    def call_with_input(self, call: Call) -> Call:
        """Return a call with the input that the algorithm has stored for it.

        Raises:
            StorageError: the input does not exist.
        """
        keys = call.body.get("storageInput")
        if call.kind is not CallKind.ALGORITHM or not isinstance(keys, list):
            return call
        flat = {str(number): key for number, key in enumerate(keys)}
        job = {"flatInput": flat, "storage": call.body.get("storage")}
        return replace(call, input=[self._first(each) for each in references(job, _CLUSTER)])

    def stored_reply(self, call: Call, reply: Reply, job_id: str) -> Reply:
        """Store a reply's result, and return a reply that refers to it, as HKube's replies do.

        Raises:
            WrapperError: the result cannot be stored.
        """
        if not isinstance(reply, Result) or call.kind is CallKind.DATA_SOURCE:
            return reply
        info = self._put(job_id, secrets.token_hex(4), reply.value, "reply")
        return Result({"storageInfo": info, "metadata": {}})

    def _first(self, reference: StoragePlaceholder) -> Any:
        link = reference.links[0]
        return self._get(link.path, link.size)

    def _put(self, job_id: str, key: str, value: Any, subject: str) -> dict[str, Any]:
        path = task_path(_CLUSTER, job_id, key)
        encoded = encode_value(value, _ENCODING, subject)
        self._store.write(path, encoded)
        return {"path": path, "size": encoded.size}

    def _get(self, path: str, size: object) -> Any:
        known = size if isinstance(size, int) else None
        return decode_value(self._store.read(path), _ENCODING, known)


@contextmanager
def local_storage(kind: str | None, environ: Mapping[str, str]) -> Iterator[LocalStorage | None]:
    """Open the storage that an option asks for; None without the option.

    Args:
        kind: `fs`, or None.
        environ: may name the folder; otherwise a temporary folder is used.
    """
    if kind is None:
        yield None
    elif environ.get(_FOLDER):
        yield LocalStorage(Path(os.path.abspath(environ[_FOLDER])))
    else:
        with ScratchFolder() as folder:
            yield LocalStorage(Path(folder))
