"""`hkube-wrapper worker`: the worker alone, for an algorithm that somebody else starts."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ..errors import WrapperError

if TYPE_CHECKING:
    from ..local import events
    from ..local.worker import Worker

USAGE, INTERRUPTED = 2, 130
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
) -> None:
    """Give tasks to an algorithm in another container of the same pod, as HKube's worker does.

    It waits until the algorithm connects, and tells it to end after the last task.
    Exit codes: 0 done; 1 a task failed; 2 wrong usage.
    """
    started = time.monotonic()
    signal.signal(signal.SIGTERM, _terminated)  # as process 1 of a container we get no default
    from ..local.job import make_job
    from ..local.screen import Screen
    from ..local.session import Session, run_beside
    from .show import Show
    from .values import read_array

    try:
        tasks = [read_array("--input", text) for text in inputs or ["[]"]]
        jobs = [make_job(items, "algorithm") for items in tasks]
        show = Show(Screen(sys.stderr), started, as_json, sys.stdout)
        session = Session(jobs, timeout, show.begin, show.ended, show.terminal.say)
        with _listening(show, port) as local_worker:
            show.terminal.say(f"waiting for an algorithm at 127.0.0.1:{local_worker.port}")
            code = run_beside(session, local_worker)
        show.summary()
    except WrapperError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(code)


def _listening(listener: events.Listener, port: int) -> Worker:
    from ..local.worker import Worker
    from .values import UsageError

    try:
        return Worker(listener, port=port)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"cannot listen on port {port} of 127.0.0.1: {reason}") from None


def _terminated(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)
