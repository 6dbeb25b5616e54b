"""The shapes of the messages of storage mode v3, beside those of ``messages``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .commands import DONE, START_ALGORITHM_EXECUTION, STORING
from .shapes import Message


def stored() -> Message:
    """The task ended well, and its result is where ``storing`` told (mode v3)."""
    return {"command": DONE}


def storing(
    path: str,
    size: int,
    metadata: Mapping[str, Any],
    discovery: Mapping[str, Any] | None = None,
    task_id: str | None = None,
) -> Message:
    """Where the task's result is, or will be in a moment (mode v3).

    Args:
        path: in the storage.
        size: bytes of the payload.
        metadata: types of the result's parts, by the paths that HKube asked for.
        discovery: ``host`` and ``port`` of whoever holds the result in memory; None: nobody.
        task_id: what to ask there for.
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
    """Starts another algorithm with input that is stored already (mode v3).

    Args:
        input_paths: key to path in the storage, one an item of the input, in order.
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
