"""The settings of the algorithm side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...protocol.encoding.encoding import Encoding
    from ...storage.task_storage import TaskStorage
    from ..api.task_metrics import TaskMetrics


class HostSettings(NamedTuple):
    """What the host needs to know.

    Attributes:
        encoding: the encoding of messages to and from the worker.
        max_payload: size in bytes of the largest message that the worker accepts.
        metrics: prepares the folder for a task's TensorBoard files.
        log_failures: whether to log the error that the worker receives when a task fails.
        storage: the storage of mode v3. None: messages carry inputs and results.
        between_nodes: the encoding of streamed messages; None in mode v1.
    """

    encoding: Encoding
    max_payload: int
    metrics: TaskMetrics
    log_failures: bool = True
    storage: TaskStorage | None = None
    between_nodes: Encoding | None = None
