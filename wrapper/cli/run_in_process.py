"""`hkube-wrapper run --in-process`: user code runs on this process's main thread."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..algorithm.serve import end_now
from ..in_process.serve import serve_in_process
from ..local.run.container import container_environ
from ..local.run.encoding_check import check_encoding
from ..local.run.metrics_folder import metrics_folder
from ..local.run.session import FAILED, Session, run_beside
from ..local.scratch import ScratchFolder
from ..local.show.screen import Screen
from ..local.worker import events
from ..local.worker.storage import local_storage
from ..local.worker.worker import LocalWorker
from ..text.exit_codes import exit_code_of_signal
from .run_request import (
    RunRequest,
    make_jobs,
    open_source,
    open_worker,
    report_remarks,
    view_of,
)
from .run_view import RunView
from .user_stdout import UserStdout, stdout_for_results

_TERMINATED = 143


@dataclass(frozen=True)
class _Run:
    """The parts of a run that must be ended.

    The main thread ends them, or another thread while user code blocks the main one."""

    stack: ExitStack
    view: RunView
    worker: LocalWorker
    tasks: threading.Thread
    result: Future[int]
    signals: list[int]

    def end(self, code: int) -> int:
        """End the run and return the command's exit code.

        Args:
            code: the exit code of the part that runs user code.
        """
        self.worker.give_up(f"the algorithm's side ended with exit code {code}")
        self.tasks.join()
        self.stack.close()
        self.view.summary()
        if code == _TERMINATED and self.signals:
            return exit_code_of_signal(self.signals[0])
        return code or self.result.result()

    def end_without_user_code(self, code: int) -> None:
        """End the run and this process, although user code still runs."""
        final = FAILED
        try:
            final = self.end(code)
        except OSError as error:  # for example, nobody reads the result
            with suppress(OSError):
                print(f"error: {error}", file=sys.stderr)
        finally:
            end_now(final)


class SignalledView:
    """A listener that names the signal in place of the lost connection that it caused.

    Args:
        view: shows the events.
        signals: the signals that this process has received.
        printed: the stdout of user code, whose last line is complete before a task's end is shown.
    """

    def __init__(self, view: RunView, signals: Sequence[int], printed: UserStdout) -> None:
        self._view = view
        self._signals = signals
        self._printed = printed

    def __call__(self, event: events.WorkerEvent) -> None:
        """Show an event."""
        if isinstance(event, events.TaskCompleted):
            self._printed.finish_line()
            event = replace(event, outcome=self._explained(event.outcome))
        self._view(event)

    def ended(self, job: Mapping[str, Any], outcome: events.Outcome, exit_code: int | None) -> None:
        """Show how a task ended."""
        self._view.ended(job, self._explained(outcome), exit_code)

    def _explained(self, outcome: events.Outcome) -> events.Outcome:
        if not self._signals or not isinstance(outcome, events.Lost):
            return outcome
        number = self._signals[0]
        return events.Lost("Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name)


def run_in_process(request: RunRequest, started: float) -> int:
    """Run the tasks; see `run_tasks.run_once`. Ends the process if user code does not return."""
    with ExitStack() as stack:
        source = stack.enter_context(open_source(request))
        results, printed = stack.enter_context(stdout_for_results())
        screen = Screen(sys.stderr, bar=False)
        view = view_of(request, source, screen, started, results)
        report_remarks(source, view)
        check_encoding(source, request.environ)
        environ = stack.enter_context(
            metrics_folder(source.name, request.environ, view.terminal.say, request.metrics)
        )
        scratch = Path(stack.enter_context(ScratchFolder()))
        storage = stack.enter_context(local_storage(request.storage, request.environ))
        signals: list[int] = []
        listener = SignalledView(view, signals, printed)
        worker = stack.enter_context(open_worker(request, source, view, listener, storage))
        os.environ.update(container_environ(source, worker.port, environ, scratch, storage))
        jobs = make_jobs(request, source)
        session = Session(jobs, request.timeout, view.begin, listener.ended, view.terminal.say)
        result: Future[int] = Future()
        tasks = threading.Thread(target=_run_beside, args=(session, worker, result))
        run = _Run(stack, view, worker, tasks, result, signals)
        tasks.start()
        faulthandler.enable()  # a crash ends this program too; the stack shows where
        code = serve_in_process(
            os.environ, end_process=run.end_without_user_code, on_signal=run.signals.append
        )
        return run.end(code)


def _run_beside(session: Session, worker: LocalWorker, ended: Future[int]) -> None:
    try:
        ended.set_result(run_beside(session, worker))
    except BaseException as error:  # for example, nobody reads the result
        ended.set_exception(error)
        worker.exit()  # otherwise the main thread would serve for ever
