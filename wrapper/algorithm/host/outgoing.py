"""Encoding what is sent to the worker, within the size that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import PayloadTooLarge
from ...ipc.frames import FrameKind
from ...protocol.encoding.encoding import Encoding
from .pipes import Pipes

if TYPE_CHECKING:
    from ...storage.task_storage import TaskStorage

_USER_MESSAGE = FrameKind.USER_MESSAGE  # looked up once: an enum's member is slow to get at


class HostSettings(NamedTuple):
    """What the host needs to know.

    Attributes:
        encoding: of the messages.
        max_payload: bytes of the largest message the worker takes.
        metrics_dir: folder for TensorBoard files.
        log_failures: log what the worker is told when a task fails.
        storage: of mode v3; None: inputs and results are in the messages.
    """

    encoding: Encoding
    max_payload: int
    metrics_dir: str
    log_failures: bool = True
    storage: TaskStorage | None = None


class TaskLink:
    """The way to the worker for one task's HKubeApi (see `calls.Link`)."""

    def __init__(self, pipes: Pipes, settings: HostSettings, generation: int) -> None:
        self._pipes = pipes
        self._settings = settings
        self._generation = generation

    def send(self, message: Mapping[str, Any], subject: str) -> None:
        self._pipes.send(_USER_MESSAGE, self._generation, encode(self._settings, message, subject))


def encode(settings: HostSettings, message: Mapping[str, Any], subject: str) -> bytes:
    payload = settings.encoding.encode(message, subject)
    if len(payload) > settings.max_payload:
        raise PayloadTooLarge(
            f"the {subject} is too large: {len(payload):,} bytes in {settings.encoding.name}, and "
            f"the worker takes at most {settings.max_payload:,} "
            "(WORKER_SOCKET_MAX_PAYLOAD_BYTES): send less, or store it and send where it is"
        )
    return payload
