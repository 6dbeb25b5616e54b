"""Messages as BSON. Each is wrapped as ``{"data": message}``: a document must be an object."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import timezone
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.dbref import DBRef
from bson.errors import BSONError
from bson.int64 import Int64

from .binary_format import BinaryFormat, encode, not_valid
from .tree import convert, is_plain
from .values import INT64_MAX, PLAIN

# The library decodes 64-bit ints to this type.
_LEAVES: frozenset[type] = PLAIN | {bytes, Int64}
_FORMAT = BinaryFormat("BSON", highest=INT64_MAX, bad_key_parts="\0", leaves=_LEAVES)
# JavaScript has no larger ints. HKube's BSON library turns such an int into an object {low, high,
# unsigned}; as a float it becomes the number that JavaScript would read from JSON.
_SAFE_INT = 2**53
_SAFE_FORMAT = dataclasses.replace(_FORMAT, lowest=-_SAFE_INT, highest=_SAFE_INT)
# An element that may be a 64-bit int beyond that: the type, the name, 8 bytes in little-endian.
_LARGE_INT = re.compile(rb"\x12[^\0]*\0.{6}(?![\x00-\x1f]\x00|[\xe0-\xff]\xff)", re.DOTALL)


class BsonEncoding:
    """The BSON encoding; it keeps bytes, NaN and Infinity.

    Args:
        for_worker: the messages are for HKube's worker, which is written in JavaScript.
    """

    name = "bson"
    binary = True
    changes_keys = False

    def __init__(self, for_worker: bool = False) -> None:
        self._for_worker = for_worker

    def encode(self, message: Mapping[str, Any], subject: str = "result") -> bytes:
        """Write a message; see ``Encoding``."""
        self.changes_keys = self.changes_keys or not is_plain(message, _FORMAT)
        frame = encode(message, subject, _FORMAT, _pack, errors=(BSONError,))
        if self._for_worker and _LARGE_INT.search(frame):
            return _pack(convert(message, _SAFE_FORMAT, subject))
        return frame

    def decode(self, frame: bytes | bytearray | memoryview) -> Any:
        """Read a message; see ``Encoding``. Dates become aware datetimes."""
        try:
            document = bson.decode(frame, _OPTIONS)
            if _REFERENCE.search(frame):
                document = _without_references(document)
        except (BSONError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise not_valid(frame, "BSON", str(error) or type(error).__name__) from None
        if "data" not in document:
            raise not_valid(frame, "BSON", "it has no field 'data'")
        return document["data"]


_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    tzinfo=timezone.utc,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)

# The library turns any object with $ref and $id into a DBRef; JSON schemas contain such objects.
_REFERENCE = re.compile(rb"\$ref\0")


def _pack(message: Any) -> bytes:
    return bson.encode({"data": message})


def _without_references(value: Any) -> Any:
    """Return the value with each DBRef replaced by a plain object."""
    if isinstance(value, DBRef):
        value = value.as_doc()
    if isinstance(value, dict):
        return {key: _without_references(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_without_references(child) for child in value]
    return value
