"""Whether bytes can be a message at all, from their first and last ones.

HKube's worker ends if a message cannot be decoded, so none of those may reach it.
"""

from __future__ import annotations

import struct

_LENGTH = struct.Struct("<i")
_SMALLEST_BSON = 5
_OPEN, _CLOSE = b"{}"
_FIXMAP = range(0x80, 0x90)
_MAP_16, _MAP_32 = 0xDE, 0xDF


def is_message(payload: bytes | bytearray, encoding: str) -> bool:
    """Return whether the head and the tail of a payload are those of a message.

    Args:
        payload: what is to be sent to the worker.
        encoding: ``json``, ``msgpack`` or ``bson``.
    """
    if not payload:
        return False
    if encoding == "json":
        return payload[0] == _OPEN and payload[-1] == _CLOSE
    if encoding == "msgpack":
        return payload[0] in _FIXMAP or payload[0] in (_MAP_16, _MAP_32)
    if len(payload) < _SMALLEST_BSON or payload[-1]:
        return False
    length: int = _LENGTH.unpack_from(payload)[0]
    return length == len(payload)
