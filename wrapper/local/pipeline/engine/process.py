"""An algorithm process with its worker; it executes one task after another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, final

from ...run.container import AlgorithmContainer
from ...run.output_pump import OutputPump
from ...run.usage import ResourceUsage
from ...source.source import AlgorithmSource
from ...worker import events
from ...worker.admission import run_token
from ...worker.answers import Answers
from ...worker.storage import LocalStorage
from ...worker.timeouts import EXIT_TIMEOUT, STOP_TIMEOUT
from ...worker.worker import LocalWorker


@dataclass(frozen=True)
class TaskEnded:
    """The task of the process has ended."""

    task_id: str
    outcome: events.Outcome


@dataclass(frozen=True)
class ProcessExited:
    """The process has exited.

    Attributes:
        code: its exit code, as a shell would show it.
    """

    code: int


ProcessEvent = TaskEnded | ProcessExited


@final
class PooledAlgorithm:
    """The container of an algorithm, and the worker it is connected to."""

    def __init__(
        self,
        source: AlgorithmSource,
        answers: Answers,
        environ: Mapping[str, str],
        storage: LocalStorage | None,
        *,
        on_process_event: Callable[[ProcessEvent], None],
        on_worker_event: Callable[[events.WorkerEvent], None],
        on_lines: Callable[[list[str]], None],
    ) -> None:
        """Start the process. The callbacks may be called in any thread.

        Args:
            source: the algorithm.
            answers: replies to its calls.
            environ: the base environment of the process.
            storage: the storage of mode v3; None for mode v1.
            on_process_event: called when a task ends, and when the process exits.
            on_worker_event: called with each event of the worker.
            on_lines: called with lines of output; those of a task come before its end.

        Raises:
            OSError: the machine cannot start another process.
        """
        self._on_process_event = on_process_event
        self._on_worker_event = on_worker_event
        self._stack = ExitStack()
        self._ending = threading.Lock()
        with self._stack:
            self._pump = self._stack.enter_context(OutputPump(on_lines))
            self._worker = self._stack.enter_context(
                LocalWorker(self._drain_and_report, answers, storage=storage, token=run_token())
            )
            fd = self._pump.fd
            container = AlgorithmContainer(source, self._worker.port, environ, fd, storage)
            self._container = self._stack.enter_context(container)
            self._stack = self._stack.pop_all()
        self._container.on_exit(self._exited)

    def begin(self, job: Mapping[str, Any]) -> None:
        """Start a task; its end is reported as `TaskEnded`."""
        task_id = str(job["taskId"])

        def report(outcome: Future[events.Outcome]) -> None:
            self._on_process_event(TaskEnded(task_id, outcome.result()))

        self._worker.begin(job).add_done_callback(report)

    def usage(self) -> ResourceUsage:
        """Return what its processes use now."""
        return self._container.usage()

    def stop(self, force: bool = True) -> None:
        """Ask the algorithm to stop its task.

        Args:
            force: False: a streaming node hands over its messages first.
        """
        self._worker.stop(force)

    def discover(self, changes: Sequence[Mapping[str, Any]]) -> None:
        """Report parents' pods that came or went; see `LocalWorker.discover`."""
        self._worker.discover(changes)

    def end(self) -> None:
        """Wait for its task, let it exit as HKube would, and kill it if it does not."""
        if self._worker.wait_idle(STOP_TIMEOUT) and self._worker.is_connected:
            self._worker.exit()
            self._container.wait(EXIT_TIMEOUT)
        self.kill()

    def kill(self) -> None:
        """End the process and everything it started, within about two seconds."""
        with self._ending:
            self._stack.close()

    def _drain_and_report(self, event: events.WorkerEvent) -> None:
        if isinstance(event, events.TaskCompleted):
            self._pump.drain()  # the next task may be another node's
        self._on_worker_event(event)

    def _exited(self, code: int) -> None:
        self._worker.give_up(f"its process ended with exit code {code}")
        self._on_process_event(ProcessExited(code))
