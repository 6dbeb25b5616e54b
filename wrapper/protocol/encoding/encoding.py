"""How messages are written as frames and read back: json, msgpack, bson."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ...errors import ConfigurationError


class Encoding(Protocol):
    """One way to write messages.

    Attributes:
        name: as in the connection's query, ``encoding=``.
        binary: whether its frames are binary WebSocket messages.
    """

    name: str
    binary: bool

    def encode(self, message: Mapping[str, Any], subject: str = "result") -> bytes:
        """Writes a message as a frame that the worker can read.

        Args:
            message: as the functions of ``messages`` build it.
            subject: what an error calls the value that is sent, as in ``result.items[3]``.

        Raises:
            EncodingError: a value has no form in this encoding; the text names its path.
        """

    def decode(self, frame: bytes | bytearray | memoryview) -> Any:
        """Reads a frame back.

        Raises:
            DecodingError: the frame is not valid in this encoding.
        """


def get_encoding(name: str) -> Encoding:
    """The encoding of this name: ``json``, ``msgpack`` or ``bson``.

    Its library is imported here, not before.

    Raises:
        ConfigurationError: there is no such encoding.
    """
    if name == "json":
        from .json_encoding import JsonEncoding

        return JsonEncoding()
    if name == "msgpack":
        from .msgpack_encoding import MsgpackEncoding

        return MsgpackEncoding()
    if name == "bson":
        from .bson_encoding import BsonEncoding

        return BsonEncoding()
    raise ConfigurationError([f"there is no encoding {name!r}; use json, msgpack or bson"])
