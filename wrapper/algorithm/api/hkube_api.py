"""HKubeApi, the object that user code receives as the second argument of ``start``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...protocol.messages import shapes
from ...text.suggestions import did_you_mean, near_miss
from .code_api import CodeApi
from .job import Job
from .spans import Section, Spans, describe
from .streaming import StreamingApi

if TYPE_CHECKING:
    from ..streaming.stream import MessageStream
    from .calls import ApiLink, Calls
    from .stored_calls import StoredCalls


class HKubeApi(CodeApi, StreamingApi):
    """An algorithm's access to HKube while its task runs; safe to use from any thread.

    Each task has its own ``HKubeApi``. When HKube stops the task, calls that wait raise
    AlgorithmStopped at once. After the task has ended, calls from threads that still run raise
    TaskOver.

    Example:
        >>> def start(args, hkube_api):
        ...     hkube_api.progress(10)
        ...     with hkube_api.span("square"):
        ...         return hkube_api.start_algorithm("square", input=[args["input"][0]])
    """

    def __init__(
        self,
        link: ApiLink,
        calls: Calls,
        spans: Spans,
        job: Job,
        metrics_dir: str,
        warn: Callable[[str], None],
        stored: StoredCalls | None = None,
        stream: MessageStream | None = None,
    ) -> None:
        CodeApi.__init__(self, calls, stored)
        StreamingApi.__init__(self, stream)
        self._link = link
        self._spans = spans
        self._job = job
        self._metrics_dir = metrics_dir
        self._warn = warn

    @property
    def job(self) -> Job:
        """The ids of this task: ``job.job_id``, ``job.task_id``, ``job.node_name`` and more."""
        return self._job

    @property
    def stop_requested(self) -> bool:
        """True once HKube has stopped the task. A loop can check it and return early."""
        return self._calls.stopped

    @property
    def metrics_dir(self) -> Path:
        """The folder for TensorBoard files, a :class:`pathlib.Path`; HKube collects its files.

        Raises:
            OSError: The folder does not exist and cannot be created.
        """
        folder = Path(self._metrics_dir)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise OSError(
                error.errno,
                f"cannot create the folder for metrics ({reason}); "
                f"set ALGO_METRICS_DIR to a folder that can be created: {folder}",
            ) from error
        return folder

    def progress(self, value: Any, details: Any = None) -> None:
        """Report the progress of the task. Never raises: a report that cannot be sent is logged.

        Args:
            value: The progress in percent, a number from 0 to 100.
            details: More about it: a ``str``, or any value that a result may hold.
        """
        if self._calls.over:
            return
        try:
            self._link.send(shapes.progress(value, details), "progress")
        # Encoding runs code of the user's objects, which may raise anything; a progress report must
        # not make the task fail.
        except Exception as error:
            self._warn(f"progress was not sent: {describe(error)}")

    def start_span(self, name: str, tags: Mapping[str, Any] | None = None) -> None:
        """Open a span, a timed section of the task in HKube's tracing.

        :meth:`span` is more convenient. Spans nest. A task has a single stack of spans, so spans
        that several threads open at once get mixed up.

        Args:
            name: The name of the section, a ``str``.
            tags: A ``dict`` of values to show with the span.

        Raises:
            TypeError: ``name`` is not a ``str``, or ``tags`` is not a ``dict``.
            ValueError: ``name`` is empty.
        """
        self._spans.start(name, tags)

    def finish_span(
        self, tags: Mapping[str, Any] | None = None, error: str | BaseException | None = None
    ) -> None:
        """Close the newest open span. If no span is open, only log a warning.

        Args:
            tags: A ``dict`` of more values to show with the span.
            error: Why the section failed, a ``str`` or an exception. None if it succeeded.

        Raises:
            TypeError: ``tags`` is not a ``dict``.
        """
        self._spans.finish(tags, error)

    def span(self, name: str, tags: Mapping[str, Any] | None = None) -> Section:
        """Open a span for the length of a ``with`` block.

        If an exception leaves the block, the span shows it as its error.

        Args:
            name: The name of the section, a ``str``.
            tags: A ``dict`` of values to show with the span.

        Returns:
            A context manager. ``as`` gives a ``dict`` for tags that are known only at the end.

        Raises:
            TypeError: ``name`` is not a ``str``, or ``tags`` is not a ``dict``; when the block
                begins.
            ValueError: ``name`` is empty; when the block begins.

        Example:
            >>> with hkube_api.span("load", tags={"source": path}) as tags:
            ...     rows = load(path)
            ...     tags["rows"] = len(rows)
        """
        return Section(self._spans, name, tags)

    # Hidden from type checkers, so that they still report unknown names.
    if not TYPE_CHECKING:  # pragma: no branch

        def __getattr__(self, name: str) -> Any:
            """Suggest a similar name for one that does not exist."""
            text = f"HKubeApi has no {name!r}"
            if not name.startswith("_"):  # copy, pickle and debuggers look up many of these
                names = [known for known in dir(type(self)) if known[0] != "_"]
                text += did_you_mean(near_miss(name, names))
            raise AttributeError(text)
