"""The local worker at a port that the user has chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .json_values import UsageError

if TYPE_CHECKING:
    from ..local.worker import events
    from ..local.worker.answers import Answers
    from ..local.worker.storage import LocalStorage
    from ..local.worker.worker import LocalWorker


def worker_at(
    port: int,
    listener: events.Listener,
    answers: Answers | None = None,
    storage: LocalStorage | None = None,
    token: str | None = None,
) -> LocalWorker:
    """Return a worker that listens.

    Args:
        port: on 127.0.0.1; 0 takes a free one.
        listener: hears its events.
        answers: replies to the algorithm's calls.
        storage: of mode v3.
        token: the secret that the algorithm has in its URL; None for that of this command.

    Raises:
        UsageError: the port cannot be had.
    """
    from ..local.worker.admission import run_token
    from ..local.worker.worker import LocalWorker

    token = run_token() if token is None else token
    try:
        return LocalWorker(listener, answers, port, storage=storage, token=token)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"cannot listen on port {port} of 127.0.0.1: {reason}") from None
