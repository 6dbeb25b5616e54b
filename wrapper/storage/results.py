"""Writes a task's result to the storage, and the inputs of algorithms that it starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import StorageError
from ..protocol.messages.storage_shapes import storing
from .format.encoded import Encoded, encode_value
from .format.metadata import metadata_of
from .format.object_path import task_path
from .stores.retries import Retries
from .stores.store import Store

_ID_LENGTH = 8
_ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class Holding(NamedTuple):
    """A result that is kept in memory for peers.

    Attributes:
        address: The host and port where they can request it.
        note: Hands the result over if it is sent before the report; empty if that is done.
    """

    address: Mapping[str, Any]
    note: bytes


# Keeps a task's result in memory for peers; returns None if it is not kept. Never raises.
Hold = Callable[[str, Encoded], "Holding | None"]


class Sink(NamedTuple):
    """The destination of results.

    Attributes:
        store: Files or S3.
        retries: Repeats failed writes.
        hold: Keeps results for peers; None to keep none.
        encoding: Encoding of the stored values.
        cluster: Name of the cluster, which starts the paths.
        warn: Writes a warning to the log.
    """

    store: Store
    retries: Retries
    hold: Hold | None
    encoding: str
    cluster: str
    warn: Callable[[str], None]


class ResultOrigin(NamedTuple):
    """The task that a result comes from.

    Attributes:
        job_id: Id of the pipeline's run.
        task_id: Id of the task.
        node_name: Name of the node.
        save_paths: `info.savePaths`: the parts of the result that later nodes refer to.
    """

    job_id: str | None
    task_id: str | None
    node_name: str | None
    save_paths: object


def store_result(
    source: ResultOrigin,
    take_result: Callable[[], Any],
    sink: Sink,
    send: Callable[[Mapping[str, Any], bytes], None],
) -> Mapping[str, Any] | None:
    """Store a task's result and report its path to HKube.

    If the result is kept in memory for peers, it is reported before it is written, so that they can
    already read it.

    Args:
        source: The task.
        take_result: Returns the result once; it must keep no reference, so that the memory is
            released after encoding.
        sink: Where to write the result.
        send: Sends a note to the supervisor (`Holding.note`), then a message to the worker.

    Returns:
        The report, if it is to be sent together with the task's final message; None if it is sent.

    Raises:
        EncodingError: The result contains something that cannot be stored.
        StorageError: The result cannot be written; the message names its size and its path.
    """
    task_id = source.task_id or ""
    path = task_path(sink.cluster, source.job_id or "", task_id)
    result = take_result()
    encoded = encode_value(result, sink.encoding, "result", sink.warn)
    metadata = metadata_of(source.node_name or "", result, source.save_paths)
    del result
    holder = sink.hold(task_id, encoded) if sink.hold is not None else None
    if holder is not None:
        send(storing(path, encoded.size, metadata, holder.address, task_id), holder.note)
    _write_to_store(sink, path, encoded, "the result")
    return storing(path, encoded.size, metadata) if holder is None else None


def store_inputs(job_id: str, items: Sequence[Any], sink: Sink) -> dict[str, str]:
    """Store the inputs of an algorithm that user code starts.

    Returns:
        The path of each item by a new key, in order.

    Raises:
        EncodingError: An item contains something that cannot be stored.
        StorageError: An item cannot be written.
    """
    paths: dict[str, str] = {}
    for number, item in enumerate(items):
        key = _new_id()
        path = task_path(sink.cluster, job_id, key)
        subject = f"input[{number}]"
        _write_to_store(sink, path, encode_value(item, sink.encoding, subject, sink.warn), subject)
        paths[key] = path
    return paths


def _new_id() -> str:
    # `secrets` takes 5 ms to import, and these ids need not be hard to guess.
    return "".join(_ID_CHARACTERS[byte % len(_ID_CHARACTERS)] for byte in os.urandom(_ID_LENGTH))


def _write_to_store(sink: Sink, path: str, encoded: Encoded, what: str) -> None:
    try:
        sink.retries.run(f"writing {path}", lambda: sink.store.write(path, encoded))
    except StorageError as error:
        size = f"{encoded.size:,} bytes"
        raise StorageError(f"{what} ({size}) cannot be stored at {path}: {error}") from None
