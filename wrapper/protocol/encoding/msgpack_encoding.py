"""Messages as msgpack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgpack
import ormsgpack

from .binary_format import BinaryFormat, encode, not_valid
from .values import UINT64_MAX, is_plain_array, simplify

# The worker's library, @msgpack/msgpack, throws at this key, and the worker does not catch that.
_BAD_KEY = b"__proto__"
_OPTIONS = (
    ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
)
_FORMAT = BinaryFormat("msgpack", highest=UINT64_MAX, bad_keys=frozenset({"__proto__"}))


class MsgpackEncoding:
    """The msgpack encoding; it keeps bytes, NaN and Infinity."""

    name = "msgpack"
    binary = True
    changes_keys = False

    def encode(self, message: Mapping[str, Any], subject: str = "result") -> bytes:
        """Write a message; see ``Encoding``."""
        packed = _pack_fast(message)
        if packed is not None:
            return packed
        self.changes_keys = True
        return encode(message, subject, _FORMAT, msgpack.packb)

    def decode(self, frame: bytes | bytearray | memoryview) -> Any:
        """Read a message; see ``Encoding``. Timestamps become aware datetimes."""
        try:
            # JavaScript libraries write a lone surrogate as if it were a character.
            return msgpack.unpackb(
                frame, timestamp=3, strict_map_key=False, unicode_errors="surrogatepass"
            )
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise not_valid(frame, "msgpack", str(error) or type(error).__name__) from None


def _pack_fast(message: Mapping[str, Any]) -> bytes | None:
    """Encode with ormsgpack, 3 times as fast; None if the slow way has to decide."""
    # ormsgpack writes some arrays in the wrong byte order, and dates in its own way. So it may
    # encode an array only if the array is the whole value and holds plain numbers.
    numpy = ormsgpack.OPT_SERIALIZE_NUMPY if is_plain_array(message.get("data")) else 0
    stops: list[BaseException] = []

    def default(value: Any) -> Any:
        try:
            return simplify(value)
        except Exception:
            raise
        except BaseException as stop:  # ormsgpack would swallow a stop of the task
            stops.append(stop)
            raise

    try:
        packed = ormsgpack.packb(message, default, _OPTIONS | numpy)
    except ormsgpack.MsgpackEncodeError:
        if stops:
            raise stops[0] from None
        return None
    return None if _BAD_KEY in packed else packed
