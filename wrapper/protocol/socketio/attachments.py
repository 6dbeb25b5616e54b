"""An event whose bytes arrive as attachments, in WebSocket messages of their own."""

from __future__ import annotations

from typing import Any

# All attachments of one event together: as much as a message in fragments may have.
MAX_ATTACHED_BYTES = 1024**3

_PIECE = 1024 * 1024  # bytes


class AttachmentError(Exception):
    """The attachments do not fit their event."""


class BinaryEvent:
    """Gathers the attachments of one event.

    In the message, each attachment becomes what Node.js writes for a buffer in JSON, because that
    is what the worker sends without socket.io: ``{"type":"Buffer","data":[…]}``.

    Args:
        argument: the event's argument: JSON with placeholders.
        count: the number of attachments that follow.
    """

    def __init__(self, argument: bytes | bytearray, count: int) -> None:
        self._argument = argument
        self._count = count
        self._attachments: list[bytes | bytearray] = []
        self._size = 0

    @property
    def is_complete(self) -> bool:
        """Whether all attachments have arrived."""
        return len(self._attachments) >= self._count

    def add(self, attachment: bytes | bytearray) -> None:
        """Add the next attachment.

        Raises:
            AttachmentError: they are too large.
        """
        self._attachments.append(attachment)
        self._size += len(attachment)
        if self._size > MAX_ATTACHED_BYTES:
            raise AttachmentError(
                f"an event has more than {MAX_ATTACHED_BYTES:,} bytes of attachments"
            )

    def message(self) -> bytes | bytearray:
        """Return the message with its attachments, as JSON.

        What is no JSON is returned as it is: whoever reads it logs what is wrong with it.

        Raises:
            AttachmentError: a placeholder names an attachment that does not exist.
        """
        import orjson  # an algorithm with bytes in its input is rare

        try:
            value = orjson.loads(self._argument)
        except orjson.JSONDecodeError:
            return self._argument
        return orjson.dumps(self._filled(value))

    def _filled(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get("_placeholder") is True:
            return _buffer(self._attachment(value.get("num")))
        return {key: self._filled(item) for key, item in value.items()}

    def _attachment(self, number: object) -> bytes | bytearray:
        if not isinstance(number, int) or not 0 <= number < len(self._attachments):
            raise AttachmentError(f"an event names attachment {number!r}, which does not exist")
        return self._attachments[number]


def _buffer(attachment: bytes | bytearray) -> Any:
    import orjson

    # In pieces, because a list takes eight times the memory of the bytes.
    pieces = [attachment[at : at + _PIECE] for at in range(0, len(attachment), _PIECE)]
    numbers = b",".join(orjson.dumps(list(piece))[1:-1] for piece in pieces)
    return orjson.Fragment(b'{"type":"Buffer","data":[' + numbers + b"]}")
