"""Runs the tasks of `hkube-wrapper run` once its options are read."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path

from ..errors import WrapperError
from ..local.run.container import STDERR, AlgorithmContainer
from ..local.run.output_pump import OutputPump
from ..local.run.session import INTERRUPTED, Session, run_in_container
from ..local.run.watch import Watch
from ..local.show.screen import Screen
from ..local.source.source import AlgorithmSource, open_algorithm
from ..local.worker.storage import local_storage
from ..local.worker.worker import LocalWorker
from .run_request import RunRequest, make_jobs, open_worker, say_remarks
from .run_view import Show


def run_once(request: RunRequest, started: float) -> int:
    """Run the tasks; returns the exit code.

    Args:
        request: what to run.
        started: when the command began, in seconds of the monotonic clock.

    Raises:
        WrapperError: the run cannot start.
        KeyboardInterrupt: Ctrl-C for a second time.
    """
    if request.in_process:
        from .run_in_process import run_in_process

        return run_in_process(request, started)
    with open_algorithm(request.path) as source:
        show = Show(Screen(sys.stderr), started, request.as_json, sys.stdout)
        return _run(request, source, show)


def run_watching(read_request: Callable[[], RunRequest], started: float) -> int:
    """Run the tasks, and again at each save, until Ctrl-C; see `run_once`.

    Args:
        read_request: reads the options; called for each run, since they may name files.
    """
    screen = Screen(sys.stderr)
    with _watch(read_request()) as watch:
        while True:
            show = Show(screen, started, as_json=False, results=sys.stdout)
            try:
                request = read_request()
                show = Show(screen, started, request.as_json, sys.stdout)
                with open_algorithm(request.path) as source:
                    if _run(request, source, show, watch) == INTERRUPTED:
                        return INTERRUPTED
            except WrapperError as error:  # a description that is half written, for one
                screen.line(f"error: {error}", "bold red")
            if not watch.saved:
                show.terminal.say("waiting for the next save; Ctrl-C ends", "bold")
            watch.wait()
            show.terminal.say("saved: running it again", "bold")
            started = time.monotonic()


def _watch(request: RunRequest) -> Watch:
    with open_algorithm(request.path) as source:
        path = Path(request.path)
        files = [*request.files, *([path] if path.is_file() else [])]
        if source.manifest is not None:
            files.append(source.manifest)
    # That of an archive is gone by now, and with it what could be saved in it.
    folder = source.folder if source.folder.exists() else Path(request.path).resolve().parent
    others = [each for each in (request.algorithms, request.pipelines) if each is not None]
    if request.algorithms is not None and request.algorithms.is_file():
        others.remove(request.algorithms)
        files.append(request.algorithms)
        for place in _mapped(request.algorithms):
            (others if place.is_dir() else files).append(place)
    return Watch(folder, files, others)


def _mapped(algorithms: Path) -> Collection[Path]:
    """Where the algorithms of a map are; nowhere, if it cannot be read: the run will say so."""
    from ..local.pipeline.catalog.algorithms import find_algorithms
    from ..local.pipeline.catalog.folders import CatalogError

    try:
        return find_algorithms(algorithms).values()
    except CatalogError:
        return ()


def _run(
    request: RunRequest, source: AlgorithmSource, show: Show, watch: Watch | None = None
) -> int:
    """Run the tasks as HKube would: worker, supervisor and algorithm process."""
    screen, say = show.screen, show.terminal.say

    def say_unless_saved(text: str) -> None:
        if watch is None or not watch.saved:
            say(text)

    session = Session(
        make_jobs(request, source), request.timeout, show.begin, show.ended, say_unless_saved
    )
    say_remarks(source, show)
    with ExitStack() as stack:
        stack.callback(screen.no_bar)  # after a Ctrl-C too the terminal is as it was
        storage = stack.enter_context(local_storage(request.storage, os.environ))
        worker = stack.enter_context(open_worker(request, source, show, storage))
        output = STDERR
        if screen.has_bar:
            output = stack.enter_context(OutputPump(screen.output, show.terminal.note)).fd
        container = stack.enter_context(
            AlgorithmContainer(source, worker.port, os.environ, output, storage)
        )
        if watch is not None:
            watch.on_save(lambda: _start_anew(worker, container))
        code = run_in_container(session, worker, container)
    show.summary()
    _check_memory(source, container.memory, show)
    return code


def _start_anew(worker: LocalWorker, container: AlgorithmContainer) -> None:
    worker.give_up("a file was saved")
    container.end()


def _check_memory(source: AlgorithmSource, used: int | None, show: Show) -> None:
    """Say so if the algorithm needs more than its description asks for."""
    if source.memory is not None and used is not None and used > source.memory:
        show.terminal.say(
            f"warning: it took {_mebibytes(used)} of memory, and resources.mem is "
            f"{_mebibytes(source.memory)}: HKube would end it",
            "yellow",
        )


def _mebibytes(size: int) -> str:
    return f"{size / 1024**2:,.0f} MiB"
