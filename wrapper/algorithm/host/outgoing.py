"""Encodes messages for the worker and checks their size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import PayloadTooLarge
from ...ipc.frames import FrameKind
from .pipes import Pipes
from .settings import HostSettings

_USER_MESSAGE = FrameKind.USER_MESSAGE  # looked up once, because access to an enum member is slow


class TaskLink:
    """Sends what the HKubeApi of one task has for the worker (see `calls.ApiLink`)."""

    def __init__(self, pipes: Pipes, settings: HostSettings, generation: int) -> None:
        self._pipes = pipes
        self._settings = settings
        self._generation = generation

    def send(self, message: Mapping[str, Any], subject: str) -> None:
        self._pipes.send(_USER_MESSAGE, self._generation, encode(self._settings, message, subject))


def encode(settings: HostSettings, message: Mapping[str, Any], subject: str) -> bytes:
    """Encode a message for the worker.

    Args:
        settings: the encoding and the size limit.
        message: the message.
        subject: what the message is, for the text of an error.

    Raises:
        EncodingError: the message holds a value that cannot be encoded.
        PayloadTooLarge: the message is larger than the worker accepts.
    """
    payload = settings.encoding.encode(message, subject)
    if len(payload) > settings.max_payload:
        raise PayloadTooLarge(
            f"the {subject} is too large: {len(payload):,} bytes in {settings.encoding.name}, but "
            f"the worker accepts at most {settings.max_payload:,} "
            "(WORKER_SOCKET_MAX_PAYLOAD_BYTES); send less, or store the data elsewhere and send "
            "its location"
        )
    return payload
