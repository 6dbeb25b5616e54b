"""The 8 bytes that HKube puts before what it stores: what the bytes behind them are.

`0x01` version, `0x08` its own length, data type, protocol, two zero bytes, `HK`. The published
wrappers and @hkube/encoding write it for msgpack and bson; JSON has none.
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
    """What stored bytes are.

    Attributes:
        is_raw: they are a bytes value themselves.
        encoding: what they are encoded in, if they are; the writer's own encoding if not.
    """

    is_raw: bool
    encoding: str


def make_header(is_raw: bool, encoding: str) -> bytes:
    """The 8 bytes."""
    kind = _RAW if is_raw else _ENCODED
    return _START + bytes((kind, _PROTOCOLS[encoding])) + _END


def read_header(head: bytes | bytearray | memoryview) -> Header | None:
    """What the first bytes of something stored say; None if they are no header.

    Args:
        head: as many as there are, up to HEADER_SIZE; the rest is not looked at.
    """
    start = bytes(head[:HEADER_SIZE])
    if len(start) < HEADER_SIZE or start[:2] != _START or start[6:] != _MAGIC:
        return None
    kind, encoding = start[2], _ENCODINGS.get(start[3])
    if kind not in (_RAW, _ENCODED) or encoding is None:
        return None
    return Header(kind == _RAW, encoding)
