"""How a task's input comes and its result goes: in the messages, or (mode v3) by the storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...errors import EncodingError, WrapperError
from ...protocol.messages import shapes
from ..api.task_api import TaskApi
from ..errors.failure import FailureReport
from .outgoing import HostSettings, TaskLink, encode
from .user_code import UserCode

if TYPE_CHECKING:
    from ...storage.task_storage import TaskStorage


class RunningTask:
    """The task at hand.

    Attributes:
        generation: see `ipc`.
        data: what the user's functions get.
        api: its HKubeApi.
        link: its way to the worker.
    """

    def __init__(self, generation: int, data: Any, api: TaskApi, link: TaskLink) -> None:
        self.generation = generation
        self.data = data
        self.api = api
        self.link = link


class Delivery:
    """Brings inputs and takes results.

    Args:
        settings: of the host.
        user: runs what may take long such that a stop ends it, and reports what it raises.
        warn: takes a line for the log.
    """

    def __init__(self, settings: HostSettings, user: UserCode, warn: Callable[[str], None]) -> None:
        self._settings = settings
        self._user = user
        self._warn = warn

    def fill_input(self, task: RunningTask) -> FailureReport | None:
        """Read what the input refers to; returns what is wrong with it, if something is."""
        storage, data = self._settings.storage, task.data
        assert storage is not None
        return self._call(lambda: storage.fill_input(data), task.generation)

    def deliver(self, task: RunningTask, result: list[Any]) -> bytes | FailureReport:
        """The task's last message.

        Args:
            task: its data is let go of.
            result: holds the result alone, and loses it: a large one must not be there twice.
        """
        if self._settings.storage is None:
            return self._encode(task, result)
        return self._store(task, result, self._settings.storage)

    def _encode(self, task: RunningTask, result: list[Any]) -> bytes | FailureReport:
        message = shapes.done(result.pop())
        task.data = None
        try:
            payload = encode(self._settings, message, "result")
            self._warn_of_nulls(message, payload)
            return payload
        except EncodingError as error:
            return FailureReport(error.code, str(error), "")
        # The border to user objects: an array's or an enum's own code may raise anything.
        except Exception as error:
            return self._user.report(error)

    def _warn_of_nulls(self, message: Mapping[str, Any], payload: bytes) -> None:
        """Say so where a NaN has become null: whoever reads the result cannot know."""
        if self._settings.encoding.name != "json" or b"null" not in payload:
            return
        from ...protocol.encoding.non_finite import find_non_finite

        found = find_non_finite(message["data"])
        if found is not None:
            self._warn(
                f"the result holds {found.value} at {found.path}, which JSON does not have: HKube "
                "gets null (WORKER_ALGORITHM_ENCODING=msgpack or bson keeps it)"
            )

    def _store(
        self, task: RunningTask, result: list[Any], storage: TaskStorage
    ) -> bytes | FailureReport:
        # Not at the top: mode v1 has no use for them.
        from ...protocol.messages.storage_shapes import stored
        from ...storage.results import ResultOrigin

        job, link = task.api.job, task.link
        source = ResultOrigin(job.job_id, job.task_id, job.node_name, job.info.get("savePaths"))
        task.data = None

        def store() -> None:
            storage.store_result(
                source, result.pop, lambda message: link.send(message, "result's metadata")
            )

        return self._call(store, task.generation) or encode(self._settings, stored(), "result")

    def _call(self, act: Callable[[], None], generation: int) -> FailureReport | None:
        """Read or write; ended by a stop as user code is."""

        def call() -> FailureReport | None:
            try:
                act()
            except WrapperError as error:
                return FailureReport(error.code, str(error), "")
            return None

        outcome = self._user.call(call, generation, keep_tasks=True)
        report: FailureReport | None = outcome.report or outcome.result
        return report
