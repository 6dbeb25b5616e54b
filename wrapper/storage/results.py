"""Writing what a task gives: its result, and the inputs of algorithms that it starts."""

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

# Has a result held in memory for peers, under the task's id; gives who holds it: host and port.
# None: it is not held, for lack of room or of a holder. Never raises.
Hold = Callable[[str, Encoded], "Mapping[str, Any] | None"]


class Sink(NamedTuple):
    """Where values go.

    Attributes:
        store: files or S3.
        retries: how often the store is tried.
        hold: see there; None: results are not held for peers.
        encoding: of what is stored.
        cluster: first part of the paths.
    """

    store: Store
    retries: Retries
    hold: Hold | None
    encoding: str
    cluster: str


class ResultOrigin(NamedTuple):
    """The task that a result comes from, as HKube named it.

    Attributes:
        job_id: of the pipeline's run.
        task_id: of the task.
        node_name: of the node.
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
    say: Callable[[Mapping[str, Any]], None],
) -> None:
    """Store a task's result, and tell HKube where it is.

    Peers that find it in memory are told first: they read while it is still being written.

    Args:
        source: the task.
        take_result: gives what the user's code returned, once: it is let go of when encoded.
        sink: where it goes.
        say: sends a message to the worker.

    Raises:
        EncodingError: the result holds something that cannot be stored.
        StorageError: it cannot be written; the text names its size and its path.
    """
    task_id = source.task_id or ""
    path = task_path(sink.cluster, source.job_id or "", task_id)
    result = take_result()
    encoded = encode_value(result, sink.encoding, "result")
    metadata = metadata_of(source.node_name or "", result, source.save_paths)
    del result
    holder = sink.hold(task_id, encoded) if sink.hold is not None else None
    if holder is not None:
        say(storing(path, encoded.size, metadata, holder, task_id))
    _write(sink, path, encoded, "the result")
    if holder is None:
        say(storing(path, encoded.size, metadata))


def store_inputs(job_id: str, items: Sequence[Any], sink: Sink) -> dict[str, str]:
    """Store the inputs of an algorithm that user code starts.

    Returns:
        A key for each item, in order, and the path where it is stored.

    Raises:
        EncodingError: an item holds something that cannot be stored.
        StorageError: an item cannot be written.
    """
    paths: dict[str, str] = {}
    for number, item in enumerate(items):
        key = _new_id()
        path = task_path(sink.cluster, job_id, key)
        subject = f"input[{number}]"
        _write(sink, path, encode_value(item, sink.encoding, subject), subject)
        paths[key] = path
    return paths


def _new_id() -> str:
    # Not by `secrets`, which takes 5 ms to import: nobody has to guess these.
    return "".join(_ID_CHARACTERS[byte % len(_ID_CHARACTERS)] for byte in os.urandom(_ID_LENGTH))


def _write(sink: Sink, path: str, encoded: Encoded, what: str) -> None:
    try:
        sink.retries.run(f"writing {path}", lambda: sink.store.write(path, encoded))
    except StorageError as error:
        size = f"{encoded.size:,} bytes"
        raise StorageError(f"{what} ({size}) cannot be stored at {path}: {error}") from None
