"""Runs the tasks of `hkube-wrapper run` after its options are parsed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from ..errors import WrapperError
from ..local.run.container import AlgorithmContainer
from ..local.run.metrics_folder import metrics_folder
from ..local.run.output_pump import OutputPipe, OutputPump
from ..local.source.source import AlgorithmSource
from .local_worker import listen_at

# What shows the run and answers the algorithm is imported in functions, while its process starts.
if TYPE_CHECKING:
    from ..local.run.watch import Watch
    from ..local.worker.worker import LocalWorker
    from .run_request import RunRequest
    from .run_view import RunView


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
    from .run_request import open_source

    with open_source(request) as source, ExitStack() as screens:

        def make_view() -> RunView:
            from ..local.show.screen import Screen
            from .run_request import view_of

            screen = screens.enter_context(closing(Screen(sys.stderr, bar=not request.quiet)))
            return view_of(request, source, screen, started, sys.stdout)

        return _run(request, source, make_view)


def run_watching(read_request: Callable[[], RunRequest], started: float) -> int:
    """Run the tasks, and run them again after each save, until Ctrl-C; see `run_once`.

    Args:
        read_request: reads the options; called before each run, because files that they name
            may change.
    """
    from ..local.run.session import INTERRUPTED
    from ..local.show.screen import Screen
    from .run_request import open_source, view_of
    from .run_view import RunView
    from .watched_source import watch_source

    request = read_request()
    paths = (request.path, request.algorithms, request.pipelines)
    with (
        watch_source(*paths, request.files, request.watch_also) as watch,
        closing(Screen(sys.stderr, bar=not request.quiet)) as screen,
    ):
        while True:
            view = RunView(screen, started, as_json=False, results=sys.stdout)
            try:
                request = read_request()
                with open_source(request) as source:
                    view = view_of(request, source, screen, started, sys.stdout)
                    if _run(request, source, lambda: view, watch) == INTERRUPTED:  # noqa: B023
                        return INTERRUPTED
            except WrapperError as error:  # for example, a description that is only half written
                screen.line(f"error: {error}", "bold red")
            if not watch.saved:
                view.terminal.say("waiting for the next save; press Ctrl-C to end", "bold")
            saved = watch.wait()
            view.terminal.say(f"saved {saved}: running again", "bold")
            started = time.monotonic()


def _run(
    request: RunRequest,
    source: AlgorithmSource,
    make_view: Callable[[], RunView],
    watch: Watch | None = None,
) -> int:
    """Run the tasks as HKube would: worker, supervisor and algorithm process.

    The container is started first. While Python starts there, the rest is imported here.
    """
    view: RunView | None = None

    def say(text: str) -> None:
        if view is not None:
            view.terminal.say(text)

    with ExitStack() as stack, ExitStack() as launched:
        environ = stack.enter_context(
            metrics_folder(source.name, request.environ, say, request.metrics)
        )
        storage = None
        if request.storage is not None:
            from ..local.worker.storage import local_storage

            storage = stack.enter_context(local_storage(request.storage, environ))
        listening = stack.enter_context(closing(listen_at(request.port)))
        pipe = stack.enter_context(OutputPipe())
        port = int(listening.getsockname()[1])
        container = launched.enter_context(
            AlgorithmContainer(source, port, environ, pipe.fd, storage)
        )
        from ..local.run.encoding_check import check_encoding
        from ..local.run.ordered_output import OrderedOutput
        from ..local.run.session import Session, run_in_container
        from .run_request import make_jobs, open_worker, report_remarks

        check_encoding(source, environ)
        view = make_view()
        stack.callback(view.screen.no_bar)  # restore the terminal, after Ctrl-C too
        report_remarks(source, view)
        jobs = make_jobs(request, source)
        pump = stack.enter_context(_output_pump(view, pipe))
        listener = OrderedOutput(pump, view)
        worker = stack.enter_context(
            open_worker(request, source, view, listener, storage, listening)
        )
        stack.enter_context(launched.pop_all())  # the container ends before what it uses

        def say_unless_saved(text: str) -> None:
            if watch is None or not watch.saved:
                say(text)

        session = Session(jobs, request.timeout, view.begin, view.ended, say_unless_saved)
        if watch is not None:
            watch.on_save(lambda: _start_anew(worker, container))
        code = run_in_container(session, worker, container)
    view.summary()
    _check_memory(source, container.memory, view)
    return code


def _output_pump(view: RunView, pipe: OutputPipe) -> OutputPump:
    if view.screen.has_bar:
        return OutputPump(view.screen.output, view.terminal.note, pipe=pipe)
    return OutputPump(view.screen.output, errors="surrogateescape", pipe=pipe)


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
