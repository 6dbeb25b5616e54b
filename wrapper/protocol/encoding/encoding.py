"""Writing messages as frames and reading them back, in JSON, msgpack or BSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ...errors import ConfigurationError


class Encoding(Protocol):
    """A way to write messages as frames.

    Attributes:
        name: its name in the connection's query, ``encoding=``.
        binary: its frames are binary WebSocket messages.
    """

    name: str
    binary: bool

    def encode(self, message: Mapping[str, Any], subject: str = "result") -> bytes:
        """Write a message as a frame that the worker can read.

        Args:
            message: a message from the functions of ``messages``.
            subject: the name of the value in error messages, as in ``result.items[3]``.

        Raises:
            EncodingError: this encoding cannot express a value; the message names its path.
        """

    def decode(self, frame: bytes | bytearray | memoryview) -> Any:
        """Read a frame.

        Raises:
            DecodingError: the frame is not valid in this encoding.
        """


def get_encoding(name: str, for_worker: bool = False) -> Encoding:
    """Return the encoding named ``json``, ``msgpack`` or ``bson``; import its library.

    Args:
        name: its name.
        for_worker: what it encodes is for HKube's worker, which is written in JavaScript.

    Raises:
        ConfigurationError: no encoding has this name.
    """
    if name == "json":
        from .json_encoding import JsonEncoding

        return JsonEncoding()
    if name == "msgpack":
        from .msgpack_encoding import MsgpackEncoding

        return MsgpackEncoding()
    if name == "bson":
        from .bson_encoding import BsonEncoding

        return BsonEncoding(for_worker)
    raise ConfigurationError([f"unknown encoding {name!r}; use json, msgpack or bson"])
