"""HKube's side of storage mode v3: storing, referring and reading back.

Written apart from the wrapper's own code, after the same facts: a mistake in one is seen by the
other.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bson
import msgpack

from .events import ABSENT, Message
from .worker import ScriptedWorker

RAW, ENCODED = 1, 2
PROTOCOLS = {"bson": 1, "json": 2, "msgpack": 3}


def header(kind: int, encoding: str) -> bytes:
    """The header's 8 bytes."""
    return bytes([1, 8, kind, PROTOCOLS[encoding], 0, 0, 0x48, 0x4B])


def encoded(value: Any, encoding: str) -> tuple[bytes, bytes]:
    """Return the header and payload of a value."""
    if isinstance(value, bytes):
        return header(RAW, encoding), value
    if encoding == "json":
        return b"", json.dumps(value).encode()
    if encoding == "bson":
        return header(ENCODED, encoding), bson.encode({"data": value})
    return header(ENCODED, encoding), msgpack.packb(value)


def decoded(head: bytes, payload: bytes) -> Any:
    """Return the value of a header and a payload."""
    if not head:
        return json.loads(payload)
    if head[2] == RAW:
        return payload
    if head[3] == PROTOCOLS["bson"]:
        return bson.decode(payload)["data"]
    return msgpack.unpackb(payload, strict_map_key=False)


class FolderStorage:
    """The storage as files.

    Args:
        folder: where they are.
        encoding: what HKube stores in.
    """

    def __init__(self, folder: Path, encoding: str = "msgpack") -> None:
        self.folder = folder
        self.encoding = encoding
        self._numbers = itertools.count(1)

    @property
    def environment(self) -> dict[str, str | None]:
        """The settings of a wrapper with this storage and without peers."""
        return {
            "DEFAULT_STORAGE": "fs",
            "BASE_FS_ADAPTER_DIRECTORY": str(self.folder),
            "STORAGE_ENCODING": self.encoding,
            "DISCOVERY_ENABLE": "false",
        }

    def put(self, value: Any, path: str = "") -> dict[str, Any]:
        """Store a value as an earlier task would; return its storageInfo."""
        path = path or f"local-hkube/main:p19pa1nk/earlier-{next(self._numbers)}"
        head, payload = encoded(value, self.encoding)
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(head + payload)
        return {"path": path, "size": len(payload)}

    def raw(self, path: str) -> bytes:
        """The bytes at a path."""
        return (self.folder / path).read_bytes()

    def get(self, path: str) -> Any:
        """The value at a path."""
        stored = self.raw(path)
        if stored[6:8] == b"HK":
            return decoded(stored[:8], stored[8:])
        return decoded(b"", stored)

    def names(self) -> list[str]:
        """All paths, sorted."""
        files = (file for file in self.folder.rglob("*") if file.is_file())
        return sorted(file.relative_to(self.folder).as_posix() for file in files)


def stored_job(*inputs: Any, **links: Any) -> dict[str, Any]:
    """Return the parts of a job that refer to the storage.

    Args:
        inputs: the input; a text `$$name` stands for the link of that name.
        links: each a storageInfo, or a whole link, or a list of links.
    """
    storage = {name: _link(link) for name, link in links.items()}
    flat = dict(_flattened(list(inputs), ""))
    return {"input": list(inputs), "flatInput": flat, "storage": storage}


def _link(link: Any) -> Any:
    if isinstance(link, list):
        return [_link(each) for each in link]
    return {"storageInfo": link} if isinstance(link, Mapping) and "size" in link else link


def _flattened(value: Any, position: str) -> Any:
    if isinstance(value, (dict, list)) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in pairs:
            yield from _flattened(child, f"{position}.{key}" if position else str(key))
    else:
        yield position, value


def run_stored(worker: ScriptedWorker, job: dict[str, Any], timeout: float = 20) -> Message:
    """Run a whole task; return its `storing`, which came before an empty `done`."""
    worker.initialize(**job)
    worker.expect("initialized", timeout)
    worker.send("start", {"spanId": {}})
    worker.expect("started", timeout)
    storing = worker.wait_for("storing", "errorMessage", timeout=timeout)
    assert storing.command == "storing", storing
    done = worker.expect("done", timeout)
    assert done.data is ABSENT, done
    return storing
