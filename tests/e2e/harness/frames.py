"""The worker's side of the three encodings, strict where the real worker would crash."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import orjson

SMALL = 1_000_000  # bytes; larger messages get the fast reader, which is as strict


def encode(message: dict[str, Any], encoding: str) -> str | bytes:
    """Encode a message as the real worker does: `command` first, text frames for json."""
    if encoding == "msgpack":
        import msgpack

        return bytes(msgpack.packb(message))
    if encoding == "bson":
        import bson

        return bytes(bson.encode({"data": message}))
    return json.dumps(message, separators=(",", ":"), allow_nan=False)


def decode(raw: str | bytes, encoding: str) -> Any:
    """Decode a frame as strictly as the real worker.

    Raises:
        ValueError: the real worker would have died of this frame.
    """
    if encoding == "json":
        if not isinstance(raw, str):
            raise ValueError("a binary frame in a json session")
        if len(raw) > SMALL:
            return orjson.loads(raw)
        return json.loads(raw, parse_constant=_refuse)
    if isinstance(raw, str):
        raise ValueError(f"a text frame in a {encoding} session")
    if encoding == "msgpack":
        import msgpack

        return msgpack.unpackb(raw, strict_map_key=False)
    import bson

    return bson.decode(raw)["data"]


def to_packet(command: str, frame: str | bytes) -> str:
    """Wrap a message as the event of a socket.io server."""
    assert isinstance(frame, str)
    return f'42["{command}",{frame}]'


def from_packet(packet: str) -> str:
    """Return the message in an event of a socket.io client.

    Raises:
        ValueError: the real server would not have understood the packet.
    """
    head, _, rest = packet.partition(",")
    if not head.startswith('42["') or not head.endswith('"') or not rest.endswith("]"):
        raise ValueError(f"no event of socket.io: {packet[:60]}")
    message = rest[:-1]
    if json.loads(message[:200].partition(",")[0].rstrip("}") + "}")["command"] != head[4:-1]:
        raise ValueError(f"the event's name is not the command: {packet[:60]}")
    return message


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
