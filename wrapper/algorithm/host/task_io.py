"""Reads a task's input and makes its final message; in mode v3 both use the storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import DecodingError, EncodingError, WrapperError
from ...ipc.frames import Frame
from ...protocol.messages import shapes
from ...streaming.job import is_streaming
from ..errors.failure import FailureReport
from .outgoing import TaskLink, encode
from .pipes import Pipes
from .running_task import RunningTask
from .settings import HostSettings
from .user_code import UserCode

if TYPE_CHECKING:
    from ...log import Log
    from ...storage.task_storage import TaskStorage
    from ..streaming.stream import MessageStream


class DoneMessage(NamedTuple):
    """The message that ends a successful task.

    Attributes:
        payload: the encoded message.
        before: a frame that is sent with it, before it.
    """

    payload: bytes
    before: bytes = b""


class TaskIO:
    """Reads inputs and delivers results.

    Args:
        pipes: lead to the supervisor.
        settings: see `HostSettings`.
        user: runs slow reads and writes, so that a stop can interrupt them.
        log: the wrapper's log.
    """

    def __init__(self, pipes: Pipes, settings: HostSettings, user: UserCode, log: Log) -> None:
        self._pipes = pipes
        self._settings = settings
        self._user = user
        self._log = log

    def read_task(self, frame: Frame) -> RunningTask:
        """Decode the message that begins a task.

        Raises:
            DecodingError: it is unreadable.
        """
        settings = self._settings
        message = settings.encoding.decode(frame.payload)
        data = message.get("data") if isinstance(message, dict) else None
        if data is None:
            data = {}
        elif not isinstance(data, dict):
            raise DecodingError("its data is not an object")
        metrics_dir = settings.metrics.prepare(data)
        link = TaskLink(self._pipes, settings, frame.generation)
        return RunningTask(
            frame.generation,
            data,
            link,
            metrics_dir,
            self._log.warning,
            settings.storage,
            self._stream(frame.generation, data, link),
        )

    def _stream(
        self, generation: int, data: dict[str, Any], link: TaskLink
    ) -> MessageStream | None:
        if not is_streaming(data):
            return None
        # Imported here because batch pipelines do not need it.
        from ..streaming.make_stream import make_stream

        encoding = self._settings.between_nodes
        return make_stream(self._pipes, generation, data, link, encoding, self._log.warning)

    def fill_input(self, task: RunningTask) -> FailureReport | None:
        """Mode v3: read what the input refers to from the storage.

        Returns:
            Why that failed, if it did.
        """
        storage, data = self._settings.storage, task.data
        if storage is None:
            return None
        return self._call(lambda: storage.fill_input(data), task.generation)

    def done_message(self, task: RunningTask, result: list[Any]) -> DoneMessage | FailureReport:
        """Make the message that ends a successful task.

        Args:
            task: the task; its data is released.
            result: a list that holds the result alone. The result is removed from it, because a
                large one must not be in memory twice.

        Returns:
            The message, or why the result cannot be delivered.
        """
        if self._settings.storage is None:
            return self._encode(task, result)
        return self._store(task, result, self._settings.storage)

    def _encode(self, task: RunningTask, result: list[Any]) -> DoneMessage | FailureReport:
        message = shapes.done(result.pop())
        task.data = None
        try:
            payload = encode(self._settings, message, "result")
            self._warn_of_nulls(message, payload)
            self._warn_of_lost_keys(message)
            return DoneMessage(payload)
        except EncodingError as error:
            return FailureReport(error.code, str(error), "")
        # The boundary to user objects: the code of an array or an enum may raise anything.
        except Exception as error:
            return self._user.report(error)

    def _warn_of_nulls(self, message: Mapping[str, Any], payload: bytes) -> None:
        """Warn if a NaN became null: nobody who reads the result can know."""
        if self._settings.encoding.name != "json" or b"null" not in payload:
            return
        from ...protocol.encoding.non_finite import find_non_finite

        found = find_non_finite(message["data"])
        if found is not None:
            self._log.warning(
                f"the result holds {found.value} at {found.path}, which JSON does not have; HKube "
                "receives null (WORKER_ALGORITHM_ENCODING=msgpack or bson keeps the value)"
            )

    def _warn_of_lost_keys(self, message: Mapping[str, Any]) -> None:
        """Warn if two keys became the same text: one of their values is lost."""
        encoding = self._settings.encoding
        if not encoding.changes_keys:
            return
        encoding.changes_keys = False
        from ...protocol.encoding.key_clash import find_key_clash

        clash = find_key_clash(message["data"])
        if clash is not None:
            self._log.warning(str(clash))

    def _store(
        self, task: RunningTask, result: list[Any], storage: TaskStorage
    ) -> DoneMessage | FailureReport:
        # Imported here because mode v1 does not need them.
        from ...protocol.messages.storage_shapes import stored
        from ...storage.results import ResultOrigin

        job, link = task.job, task.link
        origin = ResultOrigin(job.job_id, job.task_id, job.node_name, job.info.get("savePaths"))
        task.data = None

        before = b""

        def store() -> None:
            nonlocal before
            report = storage.store_result(origin, result.pop, link.send_report)
            if report is not None:
                before = link.framed_report(report)

        failure = self._call(store, task.generation)
        return failure or DoneMessage(encode(self._settings, stored(), "result"), before)

    def _call(self, act: Callable[[], None], generation: int) -> FailureReport | None:
        """Read or write such that a stop interrupts it as it interrupts user code."""

        def call() -> FailureReport | None:
            try:
                act()
            except WrapperError as error:
                return FailureReport(error.code, str(error), "")
            return None

        outcome = self._user.call(call, generation, keep_tasks=True)
        report: FailureReport | None = outcome.report or outcome.result
        return report
