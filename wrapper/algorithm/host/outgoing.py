"""Encodes messages for the worker and checks their size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import PayloadTooLarge
from ...ipc.frames import FrameKind, frame
from .pipes import Pipes
from .settings import HostSettings

# Looked up once, because access to an enum member is slow.
_USER_MESSAGE, _HELD_RESULT = FrameKind.USER_MESSAGE, FrameKind.HELD_RESULT


class TaskLink:
    """Sends what the HKubeApi of one task has for the worker (see `calls.ApiLink`)."""

    def __init__(self, pipes: Pipes, settings: HostSettings, generation: int) -> None:
        self._pipes = pipes
        self._settings = settings
        self._generation = generation

    def send(self, message: Mapping[str, Any], subject: str) -> None:
        self._pipes.send(_USER_MESSAGE, self._generation, encode(self._settings, message, subject))

    def send_report(self, message: Mapping[str, Any], note: bytes) -> None:
        """Send the report of a result, and before it the note that hands the result over."""
        before = frame(_HELD_RESULT, self._generation, note) if note else b""
        self._pipes.send(_USER_MESSAGE, self._generation, self._report(message), before)

    def framed_report(self, message: Mapping[str, Any]) -> bytes:
        """Return the frame that reports a result, to be sent with the task's final message."""
        return frame(_USER_MESSAGE, self._generation, self._report(message))

    def _report(self, message: Mapping[str, Any]) -> bytes:
        return encode(self._settings, message, "result's metadata")


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
