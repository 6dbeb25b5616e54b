"""`hkube-wrapper worker`: the worker alone, for an algorithm that somebody else starts."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from .errors import command_errors

HKUBE_PORT = 3000
"""Where HKube's worker listens, and so where algorithms look for it."""


def worker(
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="JSON|@FILE|-",
            help="The node's inputs, a JSON array. Given again: one more task.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="SECONDS",
            help="Stop a task, as HKube would, that takes longer.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print an object for each task in place of its result.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Where to listen, on 127.0.0.1.")
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
    """Give tasks to an algorithm in another container of the same pod, as HKube's worker does.

    It waits until the algorithm connects, and tells it to end after the last task.
    Exit codes: 0 done; 1 a task failed; 2 wrong usage.
    """
    started = time.monotonic()
    from ..local.run.session import Session, run_beside
    from ..local.show.screen import Screen
    from ..local.worker.job import make_job
    from .json_values import files_of, read_array
    from .local_worker import worker_at
    from .run_view import Show

    with command_errors():
        files_of(inputs or [])
        tasks = [read_array("--input", text) for text in inputs or ["[]"]]
        jobs = [make_job(items, "algorithm") for items in tasks]
        show = Show(Screen(sys.stderr), started, as_json, sys.stdout)
        session = Session(jobs, timeout, show.begin, show.ended, show.terminal.say)
        with worker_at(port, show, token=token) as local_worker:
            show.terminal.say(f"waiting for an algorithm at 127.0.0.1:{local_worker.port}")
            code = run_beside(session, local_worker)
        show.summary()
    raise typer.Exit(code)
