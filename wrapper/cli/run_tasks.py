"""Runs the tasks of `hkube-wrapper run` after its options are parsed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing

from ..errors import WrapperError
from ..local.run.container import AlgorithmContainer
from ..local.run.metrics_folder import metrics_folder
from ..local.run.ordered_output import OrderedOutput
from ..local.run.output_pump import OutputPump
from ..local.run.session import INTERRUPTED, Session, run_in_container
from ..local.run.watch import Watch
from ..local.show.screen import Screen
from ..local.source.source import AlgorithmSource, open_algorithm
from ..local.worker.storage import local_storage
from ..local.worker.worker import LocalWorker
from .run_request import RunRequest, make_jobs, open_worker, report_remarks
from .run_view import RunView
from .watched_source import watch_source


def run_once(request: RunRequest, started: float) -> int:
    """Run the tasks and return the exit code.

    Args:
        request: what to run.
        started: when the command began, in seconds of the monotonic clock.

    Raises:
        WrapperError: the run cannot start.
        KeyboardInterrupt: Ctrl-C was pressed twice.
    """
    if request.in_process:
        from .run_in_process import run_in_process

        return run_in_process(request, started)
    with open_algorithm(request.path) as source, closing(Screen(sys.stderr)) as screen:
        view = RunView(screen, started, request.as_json, sys.stdout, source)
        return _run(request, source, view)


def run_watching(read_request: Callable[[], RunRequest], started: float) -> int:
    """Run the tasks, and run them again after each save, until Ctrl-C; see `run_once`.

    Args:
        read_request: reads the options; called before each run, because files that they name
            may change.
    """
    request = read_request()
    with (
        watch_source(request.path, request.algorithms, request.pipelines, request.files) as watch,
        closing(Screen(sys.stderr)) as screen,
    ):
        while True:
            view = RunView(screen, started, as_json=False, results=sys.stdout)
            try:
                request = read_request()
                with open_algorithm(request.path) as source:
                    view = RunView(screen, started, request.as_json, sys.stdout, source)
                    if _run(request, source, view, watch) == INTERRUPTED:
                        return INTERRUPTED
            except WrapperError as error:  # for example, a description that is only half written
                screen.line(f"error: {error}", "bold red")
            if not watch.saved:
                view.terminal.say("waiting for the next save; press Ctrl-C to end", "bold")
            saved = watch.wait()
            view.terminal.say(f"saved {saved}: running again", "bold")
            started = time.monotonic()


def _run(
    request: RunRequest, source: AlgorithmSource, view: RunView, watch: Watch | None = None
) -> int:
    """Run the tasks as HKube would: worker, supervisor and algorithm process."""
    screen, say = view.screen, view.terminal.say

    def say_unless_saved(text: str) -> None:
        if watch is None or not watch.saved:
            say(text)

    session = Session(
        make_jobs(request, source), request.timeout, view.begin, view.ended, say_unless_saved
    )
    report_remarks(source, view)
    with ExitStack() as stack:
        stack.callback(screen.no_bar)  # restore the terminal, after Ctrl-C too
        environ = stack.enter_context(metrics_folder(source.name, os.environ, say))
        storage = stack.enter_context(local_storage(request.storage, environ))
        pump = stack.enter_context(_output_pump(view))
        listener = OrderedOutput(pump, view)
        worker = stack.enter_context(open_worker(request, source, view, listener, storage))
        container = stack.enter_context(
            AlgorithmContainer(source, worker.port, environ, pump.fd, storage)
        )
        if watch is not None:
            watch.on_save(lambda: _start_anew(worker, container))
        code = run_in_container(session, worker, container)
    view.summary()
    _check_memory(source, container.memory, view)
    return code


def _output_pump(view: RunView) -> OutputPump:
    if view.screen.has_bar:
        return OutputPump(view.screen.output, view.terminal.note)
    return OutputPump(view.screen.output, errors="surrogateescape")


def _start_anew(worker: LocalWorker, container: AlgorithmContainer) -> None:
    worker.give_up("a file was saved")
    container.end()


def _check_memory(source: AlgorithmSource, used: int | None, view: RunView) -> None:
    """Warn if the algorithm used more memory than its description asks for."""
    if source.memory is not None and used is not None and used > source.memory:
        view.terminal.say(
            f"warning: it used {_mebibytes(used)} of memory, but resources.mem is "
            f"{_mebibytes(source.memory)}: HKube would kill it",
            "yellow",
        )


def _mebibytes(size: int) -> str:
    return f"{size / 1024**2:,.0f} MiB"
