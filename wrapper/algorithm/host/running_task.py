"""The task that runs now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...protocol.messages.trace_context import context_of_carrier
from ..api.calls import Calls
from ..api.hkube_api import HKubeApi
from ..api.job import Job
from ..api.spans import Spans
from .outgoing import TaskLink

if TYPE_CHECKING:
    from ...storage.task_storage import TaskStorage
    from ..streaming.stream import MessageStream


class RunningTask:
    """A task, and the objects that serve it.

    Args:
        generation: the number that identifies the task in frames (see `ipc.frames`).
        data: the data of the ``initialize`` message, whatever its type.
        link: sends messages to the worker.
        metrics_dir: folder for TensorBoard files.
        warn: writes a line to the log.
        storage: the storage of mode v3.
        stream: the messages of a streaming pipeline; None: the task is not a part of one.

    Attributes:
        generation: see above.
        data: the input of the user's functions; None once the result is ready.
        link: see above.
        stream: see above.
        trace: HKube's span of the task; None if HKube has sent none.
        job: the ids of the task.
        calls: the calls that wait for an answer.
        spans: the open spans.
        hkube_api: the object that the user's ``start`` receives.
    """

    def __init__(
        self,
        generation: int,
        data: Any,
        link: TaskLink,
        metrics_dir: str,
        warn: Callable[[str], None],
        storage: TaskStorage | None = None,
        stream: MessageStream | None = None,
    ) -> None:
        self.generation = generation
        self.data = data
        self.link = link
        self.stream = stream
        self.trace = context_of_carrier(data.get("spanId") if isinstance(data, dict) else None)
        self.job = Job.from_data(data)
        self.calls = Calls(link, warn)
        self.spans = Spans(link, warn)
        stored = None
        if storage is not None:
            # Imported here because mode v1 does not need it.
            from ..api.stored_calls import StoredCalls

            stored = StoredCalls(storage, self.job.job_id)
        self.hkube_api = HKubeApi(
            link, self.calls, self.spans, self.job, metrics_dir, warn, stored, stream
        )

    def end(self, error: str | None) -> None:
        """End all calls and spans; to be called before the final message is sent.

        Args:
            error: why the task failed; None if it succeeded.
        """
        if self.stream is not None:
            self.stream.end()
        self.calls.close()
        self.spans.close_all(error)


class CurrentTask:
    """Holds the running task for both threads: the main thread sets it, the listener reads it.

    Attributes:
        task: the running task; None between tasks.
    """

    def __init__(self) -> None:
        self.task: RunningTask | None = None

    def begin(self, task: RunningTask) -> None:
        """Make `task` the running one."""
        self.task = task

    def end(self) -> RunningTask | None:
        """Remove the running task and return it."""
        task, self.task = self.task, None
        return task
