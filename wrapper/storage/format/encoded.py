"""A Python value ⇄ the bytes that are stored of it, or that a peer sends."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import DecodingError, StorageError
from ...protocol.encoding.encoding import get_encoding
from .header import HEADER_SIZE, make_header, read_header

# How `{"data": value}` begins and ends in each encoding: between the two is the value alone.
# BSON's root must be an object: there the wrapping of the message is cut off, {"data": value}
# stays.
_ENVELOPES = {"json": (8, 1), "msgpack": (6, 0), "bson": (10, 1)}

# What one that is kept takes besides its payload: the objects that hold it, its name, its place.
ENTRY_BYTES = 1024


class Encoded(NamedTuple):
    """A value as it is stored.

    Attributes:
        header: HKube's 8 bytes; empty for JSON.
        payload: the rest; of a bytes value, its own memory.
    """

    header: bytes
    payload: bytes | bytearray | memoryview

    @property
    def size(self) -> int:
        """Bytes of the payload."""
        return memoryview(self.payload).nbytes


def encode_value(value: Any, encoding: str, subject: str) -> Encoded:
    """Encode a value; bytes are taken as they are.

    Args:
        value: anything that can be sent.
        encoding: json, msgpack or bson.
        subject: what an error calls the value.

    Raises:
        EncodingError: it holds something that has no form in this encoding.
    """
    if isinstance(value, (bytes, bytearray)):
        # Without a header a reader of JSON could take them for a value.
        return Encoded(make_header(True, encoding), value)
    frame = get_encoding(encoding).encode({"data": value}, subject)
    before, after = _ENVELOPES[encoding]
    payload = memoryview(frame)[before : len(frame) - after]
    return Encoded(b"" if encoding == "json" else make_header(False, encoding), payload)


def decode_value(stored: Encoded, encoding: str, size: int | None = None) -> Any:
    """The value of stored bytes.

    Args:
        stored: what was read; with no header it is looked for in the payload.
        encoding: what bytes without a header are tried in; if that fails they are the value.
        size: how many bytes HKube says the payload has; None if it does not.

    Raises:
        StorageError: they were cut short, or are broken.
    """
    header, payload = read_header(stored.header), stored.payload
    if header is None and (inner := read_header(payload)) is not None:
        header, payload = inner, memoryview(payload)[HEADER_SIZE:]
    count = memoryview(payload).nbytes
    is_short = size is not None and count < size
    cut_short = _cut_short(count, size or 0)
    if header is None:
        return _decode_unknown(payload, encoding, cut_short if is_short else None)
    if header.is_raw:
        if (fault := too_short(Encoded(stored.header, payload), size)) is not None:
            raise fault
        return bytes(payload)
    try:
        return get_encoding(header.encoding).decode(payload)
    except DecodingError as error:
        raise cut_short if is_short else StorageError(f"it is broken: {error}") from None


def too_short(stored: Encoded, size: int | None) -> StorageError | None:
    """What is to be said if there are fewer bytes than HKube says; None if there are enough."""
    # Writers that count their header are known too.
    if size is None or stored.size >= size or stored.size + HEADER_SIZE == size:
        return None
    return _cut_short(stored.size, size)


def _cut_short(count: int, size: int) -> StorageError:
    return StorageError(f"it was cut short: {count:,} of {size:,} bytes are there")


def _decode_unknown(
    payload: bytes | bytearray | memoryview, encoding: str, fault: StorageError | None
) -> Any:
    if fault is not None:
        raise fault
    try:
        return get_encoding(encoding).decode(payload)
    except DecodingError:
        return bytes(payload)
