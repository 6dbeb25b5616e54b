"""HKubeApi of one task, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from .calls import ApiLink, Calls
from .hkube_api import HKubeApi
from .job import Job
from .spans import Spans

if TYPE_CHECKING:
    from ...storage.task_storage import TaskStorage


class TaskApi(NamedTuple):
    """HKubeApi of a task, and the sides of it that only the host sees."""

    api: HKubeApi
    calls: Calls
    spans: Spans
    job: Job

    def end(self, error: str | None) -> None:
        """The task is over: to be called before its last message is sent.

        Args:
            error: why the task failed; None if it did not.
        """
        self.calls.close()
        self.spans.close_all(error)


def make_task_api(
    link: ApiLink,
    data: object,
    metrics_dir: str,
    warn: Callable[[str], None],
    storage: TaskStorage | None = None,
) -> TaskApi:
    """What a new task needs.

    Args:
        link: the way to the worker.
        data: of the ``initialize`` message, whatever it is.
        metrics_dir: the folder for TensorBoard files; made when it is asked for.
        warn: takes a line for the log.
        storage: of mode v3.
    """
    job = Job.from_data(data)
    calls = Calls(link, warn)
    spans = Spans(link, warn)
    stored = None
    if storage is not None:
        from .stored_calls import StoredCalls

        stored = StoredCalls(storage, job.job_id)
    return TaskApi(HKubeApi(link, calls, spans, job, metrics_dir, warn, stored), calls, spans, job)
