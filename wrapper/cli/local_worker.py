"""Starts the local worker on the port that the user chose."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from .json_values import UsageError

if TYPE_CHECKING:
    from ..local.worker import events
    from ..local.worker.answers import Answers
    from ..local.worker.storage import LocalStorage
    from ..local.worker.worker import LocalWorker


def listen_at(port: int) -> socket.socket:
    """Return a socket that listens on a port of 127.0.0.1; 0 picks a free one.

    Raises:
        UsageError: the port is not available.
    """
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"another program uses port {port} of 127.0.0.1: choose another one with --port "
                "(--port 0 takes a free one)"
            ) from None
        reason = error.strerror or str(error)
        raise UsageError(f"cannot listen on port {port} of 127.0.0.1: {reason}") from None


def worker_at(
    listening: socket.socket,
    listener: events.Listener,
    answers: Answers | None = None,
    storage: LocalStorage | None = None,
    token: str | None = None,
) -> LocalWorker:
    """Return a local worker that accepts the connections of a socket, and closes it at its end.

    Args:
        listening: from `listen_at`.
        listener: receives its events.
        answers: replies to the algorithm's calls.
        storage: of mode v3.
        token: the secret that the algorithm has in its URL; None for that of this command.
    """
    from ..local.worker.admission import run_token
    from ..local.worker.worker import LocalWorker

    token = run_token() if token is None else token
    return LocalWorker(listener, answers, storage=storage, token=token, listening=listening)
