"""A message on its way, as the observers of the traffic see it."""

from __future__ import annotations

from typing import Any

from ...errors import DecodingError
from ...protocol.encoding.encoding import get_encoding

# Decoding more than this would take noticeable time from the supervisor's loop.
_MAX_DECODED_BYTES = 64 * 1024


class SeenMessage:
    """A message whose command is known.

    Args:
        command: its command.
        payload: the encoded message.
        encoding: its encoding.
    """

    __slots__ = ("_encoding", "command", "payload")

    def __init__(self, command: str, payload: bytes | bytearray, encoding: str) -> None:
        self.command = command
        self.payload = payload
        self._encoding = encoding

    @property
    def data(self) -> Any:
        """Its data; None if it has none, or is too large to be decoded on the way."""
        return self._field("data")

    @property
    def error(self) -> Any:
        """Its error; None as for the data."""
        return self._field("error")

    def _field(self, name: str) -> Any:
        if len(self.payload) > _MAX_DECODED_BYTES:
            return None
        try:
            message = get_encoding(self._encoding).decode(self.payload)
        except DecodingError:
            return None
        return message.get(name) if isinstance(message, dict) else None
