"""Writing messages as frames and reading them back, in JSON, msgpack or BSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ...errors import BrokenPackage, ConfigurationError


class Encoding(Protocol):
    """A way to write messages as frames.

    Attributes:
        name: its name in the connection's query, ``encoding=``.
        binary: its frames are binary WebSocket messages.
        changes_keys: it may have made text of keys that were something else.
    """

    name: str
    binary: bool
    changes_keys: bool

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
        BrokenPackage: its library is installed, but broken.
    """
    if name not in _PACKAGES:
        raise ConfigurationError([f"unknown encoding {name!r}; use json, msgpack or bson"])
    try:
        if name == "json":
            from .json_encoding import JsonEncoding

            return JsonEncoding()
        if name == "msgpack":
            from .msgpack_encoding import MsgpackEncoding

            return MsgpackEncoding()
        from .bson_encoding import BsonEncoding

        return BsonEncoding(for_worker)
    except Exception as error:  # another package's files fail in many ways
        raise BrokenPackage(_why_broken(name, error)) from error


_PACKAGES = {"json": "orjson", "msgpack": "msgpack ormsgpack", "bson": "pymongo"}
"""The distributions that each encoding needs."""


def _why_broken(name: str, error: Exception) -> str:
    text = f"the encoding {name} does not work: {type(error).__name__}: {error}. "
    repair = f"pip install --force-reinstall {_PACKAGES[name]}"
    if name == "bson":
        return (
            f"{text}The package bson from PyPI replaces files of pymongo, which the wrapper needs. "
            f"Take bson out of requirements.txt; then: pip uninstall bson; {repair}"
        )
    return f"{text}Another package has replaced files that the wrapper needs: {repair}"
