"""Reading a frame's command from its first bytes, without decoding the frame.

The worker writes ``command`` first. A frame that begins otherwise has to be decoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable

HEAD_BYTES = 128  # enough for every command of the protocol

_JSON = re.compile(rb'[ \t\r\n]*\{[ \t\r\n]*"command"[ \t\r\n]*:[ \t\r\n]*"([^"\\\x00-\x1f]*)"')
# A map of any size, its first key, and the length of a short string.
_MSGPACK = re.compile(
    rb"(?:[\x81-\x8f]|\xde..|\xdf....)(?:\xa7|\xd9\x07)command(?:([\xa0-\xbf])|\xd9(.))", re.DOTALL
)
# Sizes are little-endian int32; the outer document has the message as `data`.
_BSON = re.compile(rb"....\x03data\0....\x02command\0([\x01-\xff])\0\0\0", re.DOTALL)


def peek_command(encoding: str, head: bytes) -> str | None:
    """Return the command of a frame.

    Args:
        encoding: ``json``, ``msgpack`` or ``bson``.
        head: the first ``HEAD_BYTES`` bytes of the frame, or all of it.

    Returns:
        None if the first bytes do not contain the whole command.
    """
    return _PEEKS[encoding](head)


def _peek_json(head: bytes) -> str | None:
    found = _JSON.match(head)
    return _text(found[1]) if found else None


def _peek_msgpack(head: bytes) -> str | None:
    found = _MSGPACK.match(head)
    if not found:
        return None
    length = found[1][0] & 0x1F if found[1] else found[2][0]
    text = head[found.end() : found.end() + length]
    return _text(text) if len(text) == length else None


def _peek_bson(head: bytes) -> str | None:
    found = _BSON.match(head)
    if not found:
        return None
    length = found[1][0]  # includes the null at the end
    text = head[found.end() : found.end() + length]
    return _text(text[:-1]) if len(text) == length and text[-1] == 0 else None


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


_PEEKS: dict[str, Callable[[bytes], str | None]] = {
    "json": _peek_json,
    "msgpack": _peek_msgpack,
    "bson": _peek_bson,
}
