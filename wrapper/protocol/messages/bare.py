"""Messages that consist of a command alone, in every encoding.

The supervisor creates no other messages. They are encoded by hand so that it loads no encoder:
orjson, msgpack and bson cost start-up time and memory, and only the algorithm process needs them.
"""

from __future__ import annotations

import struct
from functools import cache


@cache  # there are only a few commands
def control_message(command: str, encoding: str) -> bytes:
    """Return `{"command": command}`, encoded.

    Args:
        command: ASCII, at most 31 characters.
        encoding: json, msgpack or bson.
    """
    name = command.encode("ascii")
    if encoding == "json":
        return b'{"command":"' + name + b'"}'
    if encoding == "msgpack":
        # fixmap of one pair, fixstr "command", fixstr
        return b"\x81\xa7command" + bytes([0xA0 | len(name)]) + name
    # In BSON the message is wrapped: {"data": {"command": …}}
    inner = _bson_document(b"\x02command\0" + struct.pack("<i", len(name) + 1) + name + b"\0")
    return _bson_document(b"\x03data\0" + inner)


def _bson_document(elements: bytes) -> bytes:
    return struct.pack("<i", len(elements) + 5) + elements + b"\0"
