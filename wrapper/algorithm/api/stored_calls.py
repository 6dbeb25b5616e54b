"""Stores inputs and fetches answers for the calls of HKubeApi (mode v3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...protocol.messages.storage_shapes import start_stored_algorithm_execution
from .call import ApiCall

if TYPE_CHECKING:
    from ...storage.task_storage import TaskStorage


class StoredCalls:
    """The storage, for the calls of one task.

    Args:
        storage: the storage of all tasks.
        job_id: the job of the task; paths of inputs begin with it.
    """

    def __init__(self, storage: TaskStorage, job_id: str | None) -> None:
        self._storage = storage
        self._job_id = job_id or ""

    def start_algorithm(self, call: ApiCall, values: Sequence[Any]) -> Mapping[str, Any]:
        """Store the inputs of an algorithm and return the message that starts it.

        Raises:
            EncodingError: an input holds something that cannot be stored.
            StorageError: an input cannot be written.
        """
        paths = self._storage.store_inputs(self._job_id, values)
        return start_stored_algorithm_execution(call.id, call.name, paths, call.include_result)

    def fetch(self, response: Any) -> Any:
        """Read the result that an answer refers to.

        Raises:
            StorageError: it cannot be read.
        """
        return self._storage.fetch_response(response)
