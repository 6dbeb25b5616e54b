"""Converts between Python values and the bytes that are stored or sent to peers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...errors import DecodingError, StorageError
from ...protocol.encoding.encoding import get_encoding
from .header import HEADER_SIZE, make_header, read_header

# The bytes before and after the value when `{"data": value}` is encoded. A BSON document must be an
# object, so there {"data": value} stays and only the message around it is cut off.
_ENVELOPES = {"json": (8, 1), "msgpack": (6, 0), "bson": (10, 1)}

# Memory that a kept value takes besides its payload: its objects, its name and its entry.
ENTRY_BYTES = 1024


class Encoded(NamedTuple):
    """A value in its stored form.

    Attributes:
        header: HKube's 8 bytes; empty for JSON.
        payload: The encoded value. For a bytes value, this is the value itself, not a copy.
    """

    header: bytes
    payload: bytes | bytearray | memoryview

    @property
    def size(self) -> int:
        """Size of the payload in bytes."""
        return memoryview(self.payload).nbytes


def encode_value(
    value: Any, encoding: str, subject: str, warn: Callable[[str], None] = lambda text: None
) -> Encoded:
    """Encode a value for the storage; bytes are stored unchanged.

    Args:
        value: Any value that can be sent.
        encoding: `json`, `msgpack` or `bson`.
        subject: Name of the value in error messages.
        warn: Called with a sentence if a part of the value is lost.

    Raises:
        EncodingError: The value contains something that this encoding cannot represent.
    """
    if isinstance(value, (bytes, bytearray)):
        # Without the header, a reader could decode the bytes as JSON.
        return Encoded(make_header(True, encoding), value)
    encoder = get_encoding(encoding)
    frame = encoder.encode({"data": value}, subject)
    if encoder.changes_keys:
        from ...protocol.encoding.key_clash import find_key_clash

        clash = find_key_clash(value, subject)
        if clash is not None:
            warn(str(clash))
    before, after = _ENVELOPES[encoding]
    payload = memoryview(frame)[before : len(frame) - after]
    return Encoded(b"" if encoding == "json" else make_header(False, encoding), payload)


def decode_value(stored: Encoded, encoding: str, size: int | None = None) -> Any:
    """Decode a stored value.

    Args:
        stored: The stored bytes. If `header` is empty, the payload may start with one.
        encoding: Encoding to try if there is no header; bytes that cannot be decoded in it are
            returned as they are.
        size: Size of the payload in bytes according to HKube; None if unknown.

    Raises:
        StorageError: The bytes are incomplete or corrupt.
    """
    header, payload = read_header(stored.header), stored.payload
    if header is None and (inner := read_header(payload)) is not None:
        header, payload = inner, memoryview(payload)[HEADER_SIZE:]
    count = memoryview(payload).nbytes
    is_short = size is not None and count < size
    if header is None:
        short = _incomplete(count, size or 0) if is_short else None
        return _decode_unknown(payload, encoding, short)
    if header.is_raw:
        if (short := size_error(Encoded(stored.header, payload), size)) is not None:
            raise short
        return bytes(payload)
    try:
        return get_encoding(header.encoding).decode(payload)
    except DecodingError as error:
        corrupt = StorageError(f"it is corrupt: {error}")
        raise (_incomplete(count, size or 0) if is_short else corrupt) from None


def size_error(stored: Encoded, size: int | None) -> StorageError | None:
    """Return an error if the payload is smaller than HKube says, None otherwise."""
    # Some writers include their header in the size.
    if size is None or stored.size >= size or stored.size + HEADER_SIZE == size:
        return None
    return _incomplete(stored.size, size)


def _incomplete(count: int, size: int) -> StorageError:
    return StorageError(f"it is incomplete: {count:,} of {size:,} bytes were found")


def _decode_unknown(
    payload: bytes | bytearray | memoryview, encoding: str, short: StorageError | None
) -> Any:
    if short is not None:
        raise short
    try:
        return get_encoding(encoding).decode(payload)
    except DecodingError:
        return bytes(payload)
