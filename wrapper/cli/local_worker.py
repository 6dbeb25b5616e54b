"""Starts the local worker on the port that the user chose."""

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
    """Return a local worker that is bound to a port.

    Args:
        port: TCP port on 127.0.0.1; 0 picks a free one.
        listener: receives its events.
        answers: replies to the algorithm's calls.
        storage: of mode v3.
        token: the secret that the algorithm has in its URL; None for that of this command.

    Raises:
        UsageError: the port is not available.
    """
    from ..local.worker.admission import run_token
    from ..local.worker.worker import LocalWorker

    token = run_token() if token is None else token
    try:
        return LocalWorker(listener, answers, port, storage=storage, token=token)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"cannot listen on port {port} of 127.0.0.1: {reason}") from None
