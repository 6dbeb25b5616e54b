"""What `hkube-wrapper run` does, once its options are read."""

from __future__ import annotations

import faulthandler
import io
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from ..errors import WrapperError
from ..local.answers import Answers, AnswerTable
from ..local.container import STDERR, AlgorithmContainer, container_environ
from ..local.job import make_job
from ..local.output import OutputPump
from ..local.screen import Screen
from ..local.session import INTERRUPTED, Session, run_beside, run_in_container
from ..local.source import AlgorithmSource, open_algorithm
from ..local.storage import LocalStorage, local_storage
from ..local.watch import Watch
from ..local.worker import Worker
from .listening import worker_at
from .show import Show
from .task_inputs import TaskInput

STDOUT = 1
_TERMINATED = 143


@dataclass(frozen=True)
class Request:
    """The options of the command, read and checked.

    Attributes:
        path: of the algorithm.
        tasks: the input of each task.
        files: those that options were read from.
        extra_data: `info.extraData` of each task.
        algorithms: folder or map of those that this one may start.
        pipelines: folder of stored pipelines that it may start.
        answers: replies to its calls, which go first.
        timeout: seconds for a task.
        as_json: an object a task, in place of its result.
        in_process: no process for the algorithm.
        port: of the worker.
        storage: `fs` for mode v3.
    """

    path: str
    tasks: Sequence[TaskInput]
    files: Sequence[Path]
    extra_data: Mapping[str, Any]
    algorithms: Path | None
    pipelines: Path | None
    answers: AnswerTable
    timeout: float | None
    as_json: bool
    in_process: bool
    port: int
    storage: str | None = None


def run_once(request: Request, started: float) -> int:
    """Run the tasks; returns the exit code.

    Args:
        request: what to run.
        started: when the command began, in seconds of the monotonic clock.

    Raises:
        WrapperError: it cannot be begun.
        KeyboardInterrupt: Ctrl-C for a second time.
    """
    with open_algorithm(request.path) as source:
        if request.in_process:
            screen = Screen(sys.stderr, bar=False)
            show = Show(screen, started, request.as_json, _take_stdout())
            return _run_in_process(request, source, show)
        show = Show(Screen(sys.stderr), started, request.as_json, sys.stdout)
        return _run(request, source, show)


def run_watching(read_request: Callable[[], Request], started: float) -> int:
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


def _watch(request: Request) -> Watch:
    with open_algorithm(request.path) as source:
        path = Path(request.path)
        files = [*request.files, *([path] if path.is_file() else [])]
        if source.manifest is not None:
            files.append(source.manifest)
    # That of an archive is gone by now, and with it what could be saved in it.
    folder = source.folder if source.folder.exists() else Path(request.path).resolve().parent
    return Watch(folder, files)


def _run(request: Request, source: AlgorithmSource, show: Show, watch: Watch | None = None) -> int:
    """Run the tasks as HKube would: worker, supervisor and algorithm process."""
    screen, say = show.screen, show.terminal.say

    def say_unless_saved(text: str) -> None:
        if watch is None or not watch.saved:
            say(text)

    session = Session(
        _jobs(request, source), request.timeout, show.begin, show.ended, say_unless_saved
    )
    _say_remarks(source, show)
    with ExitStack() as stack:
        stack.callback(screen.no_bar)  # after a Ctrl-C too the terminal is as it was
        storage = stack.enter_context(local_storage(request.storage, os.environ))
        worker = stack.enter_context(_open_worker(request, source, show, storage))
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
    _check_memory(source, show)
    return code


def _start_anew(worker: Worker, container: AlgorithmContainer) -> None:
    worker.give_up("a file was saved")
    container.end()


def _run_in_process(request: Request, source: AlgorithmSource, show: Show) -> int:
    """Run the tasks with the algorithm's side on this process's main thread."""
    from ..inprocess import serve_in_process

    session = Session(
        _jobs(request, source), request.timeout, show.begin, show.ended, show.terminal.say
    )
    _say_remarks(source, show)
    ended: Future[int] = Future()
    with (
        tempfile.TemporaryDirectory(prefix="hkube-") as scratch,
        local_storage(request.storage, os.environ) as storage,
        _open_worker(request, source, show, storage) as worker,
    ):
        os.environ.update(
            container_environ(source, worker.port, os.environ, Path(scratch), storage)
        )
        tasks = threading.Thread(target=_run_beside, args=(session, worker, ended))
        tasks.start()
        faulthandler.enable()  # a crash takes this program with it: then at least with a stack
        code = serve_in_process(os.environ)
        worker.give_up(f"the algorithm's side ended with exit code {code}")
        tasks.join()
    show.summary()
    return INTERRUPTED if code == _TERMINATED else (ended.result() or code)


def _run_beside(session: Session, worker: Worker, ended: Future[int]) -> None:
    try:
        ended.set_result(run_beside(session, worker))
    except BaseException as error:  # nobody reads the result, for one
        ended.set_exception(error)
        worker.exit()  # or the main thread would serve for ever


@contextmanager
def _open_worker(
    request: Request, source: AlgorithmSource, show: Show, storage: LocalStorage | None
) -> Iterator[Worker]:
    """The local worker, and what answers the algorithm's calls."""
    with ExitStack() as stack:
        answers: Answers = request.answers
        if request.algorithms is not None or request.pipelines is not None:
            from ..local.pipeline.lines import Lines
            from ..local.pipeline.open_calls import open_calls  # few algorithms make calls

            lines = Lines(show.screen.line, show.started, brief=True)
            paths = (request.algorithms, request.pipelines)
            calls = open_calls(source.name, *paths, request.answers, os.environ, lines)
            answers = stack.enter_context(calls)
        yield stack.enter_context(worker_at(request.port, show, answers, storage))


def _jobs(request: Request, source: AlgorithmSource) -> Sequence[Mapping[str, Any]]:
    jobs = [make_job(task.items, source.name) for task in request.tasks]
    for job, task in zip(jobs, request.tasks, strict=True):
        job["batchIndex"] = task.batch_index
        job["info"]["extraData"] = dict(request.extra_data)
    return jobs


def _say_remarks(source: AlgorithmSource, show: Show) -> None:
    for remark in source.remarks:
        show.terminal.say(f"warning: {remark}", "yellow")


def _check_memory(source: AlgorithmSource, show: Show) -> None:
    """Say so if the algorithm needs more than its description asks for."""
    unit = 1 if sys.platform == "darwin" else 1024
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    if source.memory is not None and used > source.memory:
        show.terminal.say(
            f"warning: it took {_mebibytes(used)} of memory, and resources.mem is "
            f"{_mebibytes(source.memory)}: HKube would end it",
            "yellow",
        )


def _mebibytes(size: int) -> str:
    return f"{size / 1024**2:,.0f} MiB"


def _take_stdout() -> TextIO:
    """Keep stdout for the results: what user code prints in this process goes to stderr."""
    sys.stdout.flush()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # With PYTHONUNBUFFERED the words of one print would mix with lines of the terminal's.
        sys.stdout.reconfigure(line_buffering=True, write_through=False)
    results = os.fdopen(os.dup(STDOUT), "w", encoding=sys.stdout.encoding)
    os.dup2(STDERR, STDOUT)
    return results
