"""Messages as msgpack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgpack

from .binary import BinaryFormat, encode, not_valid
from .peek import peek_command
from .values import UINT64_MAX

# The worker's library, @msgpack/msgpack, throws at this key, and the worker does not catch it.
_FORMAT = BinaryFormat("msgpack", highest=UINT64_MAX, bad_keys=frozenset({"__proto__"}))


class MsgpackEncoding:
    """msgpack; bytes, NaN and Infinity are kept."""

    name = "msgpack"
    binary = True

    def encode(self, message: Mapping[str, Any], subject: str = "result") -> bytes:
        """Writes a message; see ``Encoding``."""
        return encode(message, subject, _FORMAT, msgpack.packb)

    def decode(self, frame: bytes | bytearray | memoryview) -> Any:
        """Reads a message; see ``Encoding``. A timestamp comes as an aware datetime."""
        try:
            # JavaScript's libraries write a lone surrogate as if it were a character.
            return msgpack.unpackb(
                frame, timestamp=3, strict_map_key=False, unicode_errors="surrogatepass"
            )
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise not_valid(frame, "msgpack", str(error) or type(error).__name__) from None

    def peek_command(self, head: bytes) -> str | None:
        """Finds the command of a frame; see ``Encoding``."""
        return peek_command("msgpack", head)
