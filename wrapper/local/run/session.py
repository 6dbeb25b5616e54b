"""Runs tasks on one algorithm, one after the other, until one does not succeed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...text.exit_codes import process_ended
from ..worker import events
from ..worker.timeouts import CRASH_TIMEOUT, EXIT_TIMEOUT, STOP_TIMEOUT
from .container import AlgorithmContainer

if TYPE_CHECKING:
    from ..worker.worker import LocalWorker

FAILED = 1
INTERRUPTED = 130

Job = Mapping[str, Any]


@dataclass(frozen=True)
class Session:
    """The tasks to run, and the callbacks that report on them.

    Attributes:
        jobs: the data of each task's `initialize`.
        timeout: seconds for each task; None: no limit.
        begin: called before each task.
        ended: called after each task with its outcome, and with the exit code if the algorithm's
            process ended with it.
        say: shows a message to the user.
    """

    jobs: Sequence[Job]
    timeout: float | None
    begin: Callable[[Job], None]
    ended: Callable[[Job, events.Outcome, int | None], None]
    say: Callable[[str], None]


def run_in_container(session: Session, worker: LocalWorker, container: AlgorithmContainer) -> int:
    """Run the tasks in a container that has been started, and end it.

    Returns:
        The exit code of the command: 0; 1 if a task failed; that of the process if it crashed;
        130 if the user pressed Ctrl-C. A second Ctrl-C raises KeyboardInterrupt.
    """
    container.on_exit(lambda code: worker.give_up(process_ended(code)))
    try:
        for job in session.jobs:
            outcome = _run_task(session, worker, job)
            if isinstance(outcome, events.Lost):
                code = _crashed(session, container, outcome)
                session.ended(job, outcome, code)
                return code
            session.ended(job, outcome, None)
            if not isinstance(outcome, events.Done):
                _exit(session, worker, container)
                return FAILED
        return _exit(session, worker, container)
    except KeyboardInterrupt:
        _interrupted(session, worker, container)
        return INTERRUPTED


def run_beside(session: Session, worker: LocalWorker) -> int:
    """Run the tasks on an algorithm that was started elsewhere, then make it exit.

    Returns:
        0, or 1 if a task did not succeed.
    """
    for job in session.jobs:
        outcome = _run_task(session, worker, job)
        session.ended(job, outcome, None)
        if not isinstance(outcome, events.Done):
            worker.exit()
            return FAILED
    worker.exit()
    return 0


def _run_task(session: Session, worker: LocalWorker, job: Job) -> events.Outcome:
    session.begin(job)
    outcome = worker.begin(job)
    if not worker.wait_idle(session.timeout):
        session.say(f"not finished after {session.timeout:g} s (--timeout): stopping it")
        worker.stop()
        if not worker.wait_idle(STOP_TIMEOUT):
            worker.give_up(f"not stopped in {STOP_TIMEOUT:g} s: HKube ends the container here")
    return outcome.result()


def _exit(session: Session, worker: LocalWorker, container: AlgorithmContainer) -> int:
    worker.exit()
    code = container.wait(timeout=EXIT_TIMEOUT)
    if code is None:
        session.say(f"not ended in {EXIT_TIMEOUT:g} s: HKube deletes the pod here")
        return FAILED
    if code:
        session.say(process_ended(code))
    return code


def _crashed(session: Session, container: AlgorithmContainer, lost: events.Lost) -> int:
    code = container.wait(timeout=CRASH_TIMEOUT)
    if code is None:
        return FAILED
    if lost.reason != process_ended(code):  # otherwise already reported
        session.say(process_ended(code))
    return code or FAILED


def _interrupted(session: Session, worker: LocalWorker, container: AlgorithmContainer) -> None:
    """Stop as HKube would; a second Ctrl-C ends it at once."""
    session.say("stopping; Ctrl-C again ends at once")
    worker.stop()
    if worker.wait_idle(timeout=STOP_TIMEOUT):
        if worker.is_connected:
            _exit(session, worker, container)
        else:  # not connected yet, so it cannot receive `exit`
            container.end()
    else:
        session.say(f"not stopped in {STOP_TIMEOUT:g} s: HKube ends the container here")
