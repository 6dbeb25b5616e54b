"""HKube's 8-byte header, which says how the stored bytes after it are encoded.

Layout: `0x01` version, `0x08` header length, data type, protocol, two zero bytes, `HK`. The
published wrappers and @hkube/encoding write it for msgpack and bson; JSON has no header.
"""

from __future__ import annotations

from typing import NamedTuple

HEADER_SIZE = 8

_START = b"\x01\x08"
_END = b"\0\0HK"
_MAGIC = b"HK"
_RAW, _ENCODED = 1, 2
_PROTOCOLS = {"bson": 1, "json": 2, "msgpack": 3}
_ENCODINGS = {number: name for name, number in _PROTOCOLS.items()}


class Header(NamedTuple):
    """The content of a header.

    Attributes:
        is_raw: Whether the bytes are a bytes value, stored unchanged.
        encoding: Encoding of the bytes; for a bytes value, the setting of its writer.
    """

    is_raw: bool
    encoding: str


def make_header(is_raw: bool, encoding: str) -> bytes:
    """Return the 8 bytes of a header."""
    kind = _RAW if is_raw else _ENCODED
    return _START + bytes((kind, _PROTOCOLS[encoding])) + _END


def read_header(head: bytes | bytearray | memoryview) -> Header | None:
    """Read a header; return None if the bytes do not start with one.

    Args:
        head: The first bytes of the stored data; only HEADER_SIZE of them are read.
    """
    start = bytes(head[:HEADER_SIZE])
    if len(start) < HEADER_SIZE or start[:2] != _START or start[6:] != _MAGIC:
        return None
    kind, encoding = start[2], _ENCODINGS.get(start[3])
    if kind not in (_RAW, _ENCODED) or encoding is None:
        return None
    return Header(kind == _RAW, encoding)
