"""`hkube-wrapper worker`: only the local worker, for an algorithm that is started separately."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from typing import Annotated

import typer

from .errors import command_errors

HKUBE_PORT = 3000
"""The port of HKube's worker, to which algorithms connect by default."""


def worker(
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="JSON|@FILE|-",
            help="The node's inputs as a JSON array. Repeat the option to run several tasks.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="SECONDS",
            help="Stop a task that takes longer, as HKube would.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", metavar="", help="Print a JSON object for each task instead of its result."
        ),
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port to listen on, on 127.0.0.1.")
    ] = HKUBE_PORT,
    token: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            envvar="WORKER_SOCKET_TOKEN",
            help="A secret; only an algorithm whose WORKER_SOCKET_TOKEN is the same may connect. "
            "Without it every program of this pod may, but no web page.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Send tasks to an algorithm in another container of the pod, as HKube's worker does.

    Waits for the algorithm to connect, and tells it to exit after the last task.
    Exit codes: 0 success; 1 a task failed; 2 wrong usage.
    """
    started = time.monotonic()
    from ..local.run.session import Session, run_beside
    from ..local.show.screen import Screen
    from ..local.worker.job import make_job
    from .json_values import files_of, read_array
    from .local_worker import listen_at, worker_at
    from .run_view import RunView

    with command_errors(), closing(Screen(sys.stderr)) as screen:
        files_of(inputs or [])
        tasks = [read_array("--input", text) for text in inputs or ["[]"]]
        jobs = [make_job(items, "algorithm") for items in tasks]
        view = RunView(screen, started, as_json, sys.stdout)
        session = Session(jobs, timeout, view.begin, view.ended, view.terminal.say)
        with worker_at(listen_at(port), view, token=token) as local_worker:
            view.terminal.say(f"waiting for an algorithm on 127.0.0.1:{local_worker.port}")
            code = run_beside(session, local_worker)
        view.summary()
    raise typer.Exit(code)
