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
) -> LocalWorker:
    """Return a local worker that is bound to a port.

    Args:
        port: TCP port on 127.0.0.1; 0 picks a free one.
        listener: receives its events.
        answers: replies to the algorithm's calls.
        storage: of mode v3.

    Raises:
        UsageError: the port is not available.
    """
    from ..local.worker.worker import LocalWorker

    try:
        return LocalWorker(listener, answers, port, storage=storage)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"cannot listen on port {port} of 127.0.0.1: {reason}") from None
