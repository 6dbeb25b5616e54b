"""Reading a task's ids from the first bytes of its message, without decoding it.

The supervisor's log must name the task even if decoding the message kills the algorithm process.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from .trace_context import find_context

IDS_WITHIN = 4096  # bytes; the worker writes the ids before the input
_NAMES = (b"jobId", b"taskId", b"nodeName")
_JSON = re.compile(rb'"(jobId|taskId|nodeName)"[ \t\r\n]*:[ \t\r\n]*"([^"\\]*)"')
# A key with its length, then the length of a string: if short, in the low bits of one byte.
_MSGPACK = re.compile(rb"[\xa5\xa6\xa8](jobId|taskId|nodeName)([\xa0-\xbf]|\xd9.)", re.DOTALL)
_BSON = re.compile(rb"\x02(jobId|taskId|nodeName)\0(....)", re.DOTALL)


def read_ids(encoding: str, head: bytes) -> str:
    """Return the ids of job, task and node, separated by spaces; ``-`` for one not found.

    If the message says where the task stands in a trace, the ids of trace and span follow.

    Args:
        encoding: ``json``, ``msgpack`` or ``bson``.
        head: the first `IDS_WITHIN` bytes of an `initialize` message.
    """
    found: dict[bytes, bytes] = {}
    for name, value in _READERS[encoding](head):
        found.setdefault(name, value)
    texts = (found.get(name, b"").decode(errors="replace") for name in _NAMES)
    ids = ["".join(text.split()) or "-" for text in texts]
    context = find_context(head)
    if context is not None:
        ids += [context.trace_id, context.span_id]
    return " ".join(ids)


def _json_ids(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for match in _JSON.finditer(head):
        yield match[1], match[2]


def _msgpack_ids(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for match in _MSGPACK.finditer(head):
        prefix = match[2]
        length = prefix[1] if len(prefix) == 2 else prefix[0] & 0x1F
        yield match[1], head[match.end() : match.end() + length]


def _bson_ids(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for match in _BSON.finditer(head):
        length = struct.unpack("<i", match[2])[0]  # includes the null at the end
        yield match[1], head[match.end() : match.end() + max(0, length - 1)]


_READERS = {"json": _json_ids, "msgpack": _msgpack_ids, "bson": _bson_ids}
