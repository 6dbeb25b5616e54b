"""The shapes of the messages that only storage mode v3 uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .commands import DONE, START_ALGORITHM_EXECUTION, STORING
from .shapes import Message


def stored() -> Message:
    """Report success; the result is where the ``storing`` message said."""
    return {"command": DONE}


def storing(
    path: str,
    size: int,
    metadata: Mapping[str, Any],
    discovery: Mapping[str, Any] | None = None,
    task_id: str | None = None,
) -> Message:
    """Report where the task's result is, or is about to be written.

    Args:
        path: path in the storage.
        size: size of the payload in bytes.
        metadata: types of the result's parts, by the paths that HKube asked for.
        discovery: ``host`` and ``port`` of the process that holds the result in memory, if any.
        task_id: the id under which that process holds it.
    """
    data: Message = {"storageInfo": {"path": path, "size": size}, "metadata": metadata}
    if discovery is not None:
        data["discovery"] = discovery
        data["taskId"] = task_id
    return {"command": STORING, "data": data}


def start_stored_algorithm_execution(
    call_id: str,
    algorithm_name: str,
    input_paths: Mapping[str, str],
    include_result: bool = True,
) -> Message:
    """Start another algorithm with input that is already stored.

    Args:
        input_paths: a key and a storage path for each item of the input, in order.
    """
    return {
        "command": START_ALGORITHM_EXECUTION,
        "data": {
            "execId": call_id,
            "algorithmName": algorithm_name,
            "storageInput": [f"$${key}" for key in input_paths],
            "storage": {key: {"storageInfo": {"path": path}} for key, path in input_paths.items()},
            "includeResult": include_result,
        },
    }
