"""HKubeApi, the object that user code is handed as the second argument of ``start``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...protocol.messages import shapes
from ...text.suggestions import did_you_mean, near_miss
from .code_api import CodeApi
from .job import Job
from .spans import Section, Spans, describe
from .streaming import StreamingToCome

if TYPE_CHECKING:
    from .calls import ApiLink, Calls
    from .stored_calls import StoredCalls


class HKubeApi(CodeApi, StreamingToCome):
    """What an algorithm may ask of HKube while its task runs; safe from any thread.

    Every task has its own. When the task is stopped, calls that wait end at once by raising
    AlgorithmStopped; when it is over, calls made by threads left behind raise TaskOver.

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
    ) -> None:
        super().__init__(calls, stored)
        self._link = link
        self._spans = spans
        self._job = job
        self._metrics_dir = metrics_dir
        self._warn = warn

    @property
    def job(self) -> Job:
        """The ids of this task: ``job.job_id``, ``job.task_id``, ``job.node_name``..."""
        return self._job

    @property
    def stop_requested(self) -> bool:
        """Whether HKube wants the task to end: a loop can look here and return early."""
        return self._calls.stopped

    @property
    def metrics_dir(self) -> Path:
        """The folder for TensorBoard files, which HKube collects after the task.

        Raises:
            OSError: the folder is not there and cannot be made.
        """
        folder = Path(self._metrics_dir)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise OSError(
                error.errno,
                f"the folder for metrics cannot be made ({reason}); "
                f"set ALGO_METRICS_DIR to one that can: {folder}",
            ) from error
        return folder

    def progress(self, value: Any, details: Any = None) -> None:
        """Tell HKube how far the task is. What cannot be sent is left out, with a line in the log.

        Args:
            value: percent done, 0 to 100.
            details: more about it: a text, or anything that a result may hold.
        """
        if self._calls.over:
            return
        try:
            self._link.send(shapes.progress(value, details), "progress")
        # Whatever it is: encoding runs the code of the user's own objects, and telling how far the
        # work is must not break it.
        except Exception as error:
            self._warn(f"progress was not sent: {describe(error)}")

    def start_span(self, name: str, tags: Mapping[str, Any] | None = None) -> None:
        """Open a span, a timed section of the task in HKube's tracing; :meth:`span` is handier.

        Spans nest. A task has one stack of them: spans of several threads at once mix.

        Args:
            name: what the section is called.
            tags: dict of what to know about it.
        """
        self._spans.start(name, tags)

    def finish_span(
        self, tags: Mapping[str, Any] | None = None, error: str | BaseException | None = None
    ) -> None:
        """Close the newest open span. With none open, nothing happens but a line in the log.

        Args:
            tags: dict of more to know about it.
            error: why the section failed, if it did.
        """
        self._spans.finish(tags, error)

    def span(self, name: str, tags: Mapping[str, Any] | None = None) -> Section:
        """A ``with`` block that is a span; an exception that leaves it is noted as its error.

        Args:
            name: what the section is called.
            tags: dict of what to know about it.

        Returns:
            A context manager. ``as`` gives a dict, to be filled with tags known only at the end.

        Example:
            >>> with hkube_api.span("load", tags={"source": path}) as tags:
            ...     rows = load(path)
            ...     tags["rows"] = len(rows)
        """
        return self._spans.section(name, tags)

    # Hidden from type checkers, which must go on finding names that are not there.
    if not TYPE_CHECKING:  # pragma: no branch

        def __getattr__(self, name: str) -> Any:
            """Only for names that are not there: name a near miss."""
            text = f"HKubeApi has no {name!r}"
            if not name.startswith("_"):  # copy, pickle and debuggers ask for many such
                names = [known for known in dir(type(self)) if known[0] != "_"]
                text += did_you_mean(near_miss(name, names))
            raise AttributeError(text)
