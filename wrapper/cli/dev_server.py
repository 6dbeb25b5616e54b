"""Serves the page of `hkube-wrapper dev` after its options are parsed."""

from __future__ import annotations

import os
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

from ..local.source.source import AlgorithmSource, open_algorithm
from ..local.web.algorithm_state import AlgorithmState
from ..local.web.commands import PageCommands
from ..local.web.runs.history import FILE, History
from ..local.web.runs.run_book import RunBook
from ..local.web.server.access import page_token
from ..local.web.server.page_server import PageServer
from ..local.web.server.topics import Topics
from ..local.web.session import DevSession
from ..local.worker.answers import Answers, AnswerTable, load_answers
from ..local.worker.storage import local_storage
from .json_values import UsageError
from .watched_source import watch_source

DEFAULT_PORT = 8421
_FOLDER = ".hkube"


@dataclass(frozen=True)
class DevRequest:
    """The parsed options of the command.

    Attributes:
        path: the algorithm's path.
        port: the page's TCP port; 0: any free one; None: the default, or else a free one.
        opens_browser: whether to open the page.
        algorithms: folder or map of the algorithms that this one may start.
        pipelines: folder of the stored pipelines that it may start.
        answers: file of replies to its calls.
        storage: `fs` for mode v3.
        history: file of the runs; None: beside the code.
        editor: the link that opens a line of code.
    """

    path: str
    port: int | None
    opens_browser: bool
    algorithms: Path | None
    pipelines: Path | None
    answers: Path | None
    storage: str | None
    history: Path | None
    editor: str


def serve_dev(request: DevRequest) -> int:
    """Serve the page until Ctrl-C; return the exit code.

    Raises:
        WrapperError: the page cannot be served.
    """
    table = load_answers(request.answers) if request.answers else AnswerTable()
    folder = _kept_folder(request)
    topics = Topics()
    metrics = str((folder or Path.cwd() / _FOLDER) / "metrics")
    with ExitStack() as stack:
        watch = stack.enter_context(
            watch_source(request.path, request.algorithms, request.pipelines)
        )
        history = stack.enter_context(History(_history_file(request, folder)))
        runs = RunBook(history, topics)
        state = AlgorithmState(
            request.path, request.editor, metrics, lambda: topics.touch("algorithm")
        )
        environ = {"ALGO_METRICS_DIR": metrics, **os.environ}
        storage = stack.enter_context(local_storage(request.storage, environ))
        answers = _answers(request, table, runs)
        session = DevSession(request.path, environ, state, runs, watch, answers, storage)
        commands = PageCommands(request.path, session, state, runs, history)
        topics.offer("algorithm", state.facts)
        topics.offer("run", runs.newest)
        topics.offer("history", runs.version)
        token = page_token(folder / "page-token" if folder else None)
        server = stack.enter_context(
            _server(request.port, token, topics, commands.answer, commands.download)
        )
        print(f"open {server.link}\npress Ctrl-C to end", file=sys.stderr, flush=True)
        if request.opens_browser:  # a browser in a terminal would block here
            threading.Thread(target=webbrowser.open, args=(server.link,), daemon=True).start()
        try:
            session.serve()
        except KeyboardInterrupt:
            print("ended", file=sys.stderr)
    return 0


def _server(
    port: int | None,
    token: str,
    topics: Topics,
    answer: Callable[[str | bytes], str],
    download: Callable[[int], str | None],
) -> PageServer:
    for wanted in (DEFAULT_PORT, 0) if port is None else (port,):
        try:
            return PageServer(wanted, token, topics, answer, download)
        except OSError as error:
            reason = error.strerror or str(error)
    raise UsageError(f"cannot listen on port {port} of 127.0.0.1: {reason}")


def _answers(
    request: DevRequest, table: AnswerTable, runs: RunBook
) -> Callable[[AlgorithmSource], AbstractContextManager[Answers]]:
    """Return what makes the replies to the calls of one process of the algorithm."""
    paths = (request.algorithms, request.pipelines)
    if paths == (None, None):
        return lambda source: nullcontext(table)

    def answers(source: AlgorithmSource) -> AbstractContextManager[Answers]:
        from ..local.pipeline.engine.open_calls import open_calls
        from ..local.pipeline.show.lines import PipelineLines

        def write(line: str) -> None:
            runs.add_lines([("call", line)], time.monotonic())

        lines = PipelineLines(write, time.monotonic(), brief=True)
        return open_calls(source.name, *paths, table, os.environ, lines)

    return answers


def _kept_folder(request: DevRequest) -> Path | None:
    """Return the folder for what is kept beside the code; None if it cannot be written."""
    with open_algorithm(request.path, whole=False) as source:
        beside = source.folder
    if not beside.is_dir():  # an archive was unpacked there
        beside = Path(request.path).resolve().parent
    folder = beside / _FOLDER
    try:
        folder.mkdir(exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        print(
            f"runs are not kept: cannot write to {folder}: {error.strerror}; "
            "use another file with --history FILE",
            file=sys.stderr,
        )
        return None
    return folder


def _history_file(request: DevRequest, folder: Path | None) -> Path | None:
    if request.history is not None:
        return request.history
    return None if folder is None else folder / FILE
