"""One algorithm's process with its worker: it takes one task after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, final

from ...run.container import AlgorithmContainer
from ...run.output_pump import OutputPump
from ...source.source import AlgorithmSource
from ...worker import events
from ...worker.answers import Answers
from ...worker.storage import LocalStorage
from ...worker.timeouts import EXIT_TIMEOUT, STOP_TIMEOUT
from ...worker.worker import LocalWorker


@dataclass(frozen=True)
class TaskEnded:
    """The task of the process has its outcome."""

    task_id: str
    outcome: events.Outcome


@dataclass(frozen=True)
class Exited:
    """The process is no more; its exit code is as a shell has it."""

    code: int


Fact = TaskEnded | Exited


@dataclass(frozen=True)
class Ears:
    """Who hears of a process; called in any thread.

    Attributes:
        fact: what decides about its next task.
        event: of its worker.
        line: of its output.
    """

    fact: Callable[[Fact], None]
    event: Callable[[events.WorkerEvent], None]
    line: Callable[[str], None]


@final
class PooledAlgorithm:
    """The container of an algorithm and the worker that it is connected to."""

    def __init__(
        self,
        source: AlgorithmSource,
        answers: Answers,
        ears: Ears,
        environ: Mapping[str, str],
        storage: LocalStorage | None = None,
    ) -> None:
        """Start the process.

        Args:
            source: the algorithm.
            answers: replies to its calls.
            ears: who hears of it.
            environ: the environment to start from.
            storage: of mode v3.

        Raises:
            OSError: this machine has no room for it.
        """
        self._ears = ears
        self._stack = ExitStack()
        self._ending = threading.Lock()
        with self._stack:
            self._worker = self._stack.enter_context(
                LocalWorker(ears.event, answers, storage=storage)
            )
            pump = self._stack.enter_context(OutputPump(ears.line, _nothing))
            container = AlgorithmContainer(source, self._worker.port, environ, pump.fd, storage)
            self._container = self._stack.enter_context(container)
            self._stack = self._stack.pop_all()
        self._container.on_exit(self._exited)

    def begin(self, job: Mapping[str, Any]) -> None:
        """Give it a task; how that ends is told to the ears."""
        task_id = str(job["taskId"])

        def tell(outcome: Future[events.Outcome]) -> None:
            self._ears.fact(TaskEnded(task_id, outcome.result()))

        self._worker.begin(job).add_done_callback(tell)

    def stop(self) -> None:
        """Ask the algorithm to stop its task."""
        self._worker.stop()

    def end(self) -> None:
        """Wait for its task, have it exit as HKube would, and see that it is gone."""
        if self._worker.wait_idle(STOP_TIMEOUT) and self._worker.is_connected:
            self._worker.exit()
            self._container.wait(EXIT_TIMEOUT)
        self.kill()

    def kill(self) -> None:
        """End it and all that it started, in two seconds or so."""
        with self._ending:
            self._stack.close()

    def _exited(self, code: int) -> None:
        self._worker.give_up(f"its process ended with exit code {code}")
        self._ears.fact(Exited(code))


def _nothing(unfinished: str) -> None:
    """A line that has no end yet is of no use among those of others."""
