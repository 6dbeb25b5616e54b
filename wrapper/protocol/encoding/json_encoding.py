"""Messages as strict JSON: ``JSON.parse`` can read every message."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from itertools import accumulate
from typing import Any, NoReturn

import orjson

from ...errors import DecodingError
from .tree import WALK, Format, convert
from .values import (
    INT64_MIN,
    PLAIN,
    UINT64_MAX,
    Unsupported,
    digits,
    simplify_array,
    simplify_scalar,
    step_for,
)

# `_default` handles these types, because orjson (3.13)
# - sends attributes of a dataclass that are not fields, and drops fields named _x;
# - crashes the process if a time zone raises, and drops the seconds of its offset;
# - sends numpy's not-a-time as 1970 or 1677, and crashes on units such as 3 days.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME

_MAX_DECODED_DEPTH = 1024  # the limit of orjson
_EXCERPT = 60  # characters
_LARGE_BYTES = 8 * 1024 * 1024
_SAFE_RECURSION_LIMIT = 5_000  # levels that always fit into the C stack


class JsonEncoding:
    """The JSON encoding by orjson; values that orjson rejects take the slow way."""

    name = "json"
    binary = False
    changes_keys = False

    def encode(self, message: Mapping[str, Any], subject: str = "result") -> bytes:
        """Write a message; see ``Encoding``."""
        try:
            return orjson.dumps(message, _default, _OPTIONS)
        except orjson.JSONEncodeError as error:
            unsupported = _unsupported(error)
        self.changes_keys = True
        if not unsupported:
            try:
                return orjson.dumps(message, _default, _OPTIONS | orjson.OPT_NON_STR_KEYS)
            except orjson.JSONEncodeError as error:
                _unsupported(error)
        return orjson.dumps(convert(message, _FORMAT, subject))

    def decode(self, frame: bytes | bytearray | memoryview) -> Any:
        """Read a message; see ``Encoding``."""
        try:
            if len(frame) >= _LARGE_BYTES:
                return _decode_large(frame)
            return _decode_small(frame)
        except orjson.JSONDecodeError:
            pass  # handled below, once the error, which holds a copy of the whole frame, is freed
        return _decode_slowly(bytes(frame))


def _unsupported(error: orjson.JSONEncodeError) -> bool:
    """Return whether encoding failed because a value has no plain form."""
    cause = error.__cause__
    if cause is not None and not isinstance(cause, Exception):
        # orjson catches everything that `_default` raises, even a stop of the task.
        raise cause from None
    return isinstance(cause, Unsupported)


def _default(value: Any) -> Any:
    """Simplify a value that orjson rejects; orjson calls this."""
    step = step_for(type(value))
    text = _numpy_text(value) if step in _NUMPY_STEPS else None
    return step(value) if text is None else text


def _numpy_text(value: Any) -> orjson.Fragment | None:
    """Encode numpy numbers directly from memory, with only as many digits as their type has."""
    if value.dtype.kind not in "biuf" or not value.dtype.isnative:
        return None  # orjson 3.10 ignores the byte order
    try:
        return orjson.Fragment(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))
    except orjson.JSONEncodeError:
        return None  # orjson rejects its memory layout or size; `simplify` can convert it


_NUMPY_STEPS = (simplify_array, simplify_scalar)


class _JsonFormat(Format):
    """Encodes each container once it is complete, so that orjson's depth limit never applies."""

    def flat(self, container: Any, types: set[type]) -> Any:
        try:
            return orjson.Fragment(orjson.dumps(container))
        except orjson.JSONEncodeError:
            return WALK

    def native(self, value: Any) -> Any:
        step = step_for(type(value))
        text = _numpy_text(value) if step in _NUMPY_STEPS else None
        return WALK if text is None else text

    def leaf(self, value: Any) -> Any:
        if type(value) is str and not _is_sound(value):
            return orjson.Fragment(_quote(value))
        if type(value) is int and not INT64_MIN <= value <= UINT64_MAX:
            return orjson.Fragment(digits(value).encode())
        return value

    def close(self, container: dict[str, Any] | list[Any]) -> Any:
        try:
            return orjson.Fragment(orjson.dumps(container))
        except orjson.JSONEncodeError:  # a key contains a lone surrogate
            assert isinstance(container, dict)
        pairs = (_quote(key) + b":" + orjson.dumps(value) for key, value in container.items())
        return orjson.Fragment(b"{" + b",".join(pairs) + b"}")


_FORMAT = _JsonFormat("JSON", binary=False, leaves=PLAIN)


def _is_sound(text: str) -> bool:
    """Return whether UTF-8 can express a text, which must not contain lone surrogates."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _quote(text: str) -> bytes:
    """Return a JSON string with lone surrogates as ``\\ud800``, as JSON.stringify writes them."""
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace")


# Every digit as 0, so that a search finds any run of digits.
_DIGITS_AS_ZEROS = bytes(ord("0") if byte in b"0123456789" else byte for byte in range(256))
_ZEROS = b"0" * 19  # as many digits as the lowest int of 64 bits has


def _may_hold_huge_int(frame: bytes | bytearray | memoryview) -> bool:
    """Whether there may be an int beyond 64 bits, which orjson would read as a float.

    It costs a nanosecond a byte. Times in nanoseconds have 19 digits too, and no sign.
    """
    zeros = bytes(frame).translate(_DIGITS_AS_ZEROS)
    return _ZEROS in zeros and (b"0" + _ZEROS in zeros or b"-" + _ZEROS in zeros)


def _decode_small(frame: bytes | bytearray | memoryview) -> Any:
    return _decode_slowly(bytes(frame)) if _may_hold_huge_int(frame) else orjson.loads(frame)


def _decode_large(frame: bytes | bytearray | memoryview) -> Any:
    """Decode a large frame with little memory.

    For a list of numbers, orjson needs 5 times the size of the frame: it copies the frame and
    builds a tree before it creates the objects. msgspec creates them directly: 3 times the size.
    """
    import msgspec

    # msgspec recurses in C as deep as Python's limit allows.
    if sys.getrecursionlimit() <= _SAFE_RECURSION_LIMIT:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.decode(frame)
    return _decode_small(frame)


def _decode_slowly(frame: bytes) -> Any:
    """Decode what orjson rejects, such as lone surrogates, or would change, such as huge ints.

    Raises:
        DecodingError: the frame is not valid JSON; the message says why.
    """
    try:
        text = frame.decode()
        if _depth(frame) > _MAX_DECODED_DEPTH:
            raise RecursionError
        return json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_int)
    except UnicodeDecodeError as error:
        problem = f"byte {error.start} is not UTF-8: {_excerpt(repr(frame[error.start :][:20]))}"
    except json.JSONDecodeError as error:
        problem = f"{error.msg[:1].lower()}{error.msg[1:]} (character {error.pos})"
        if error.pos < len(error.doc):
            problem += f": {_excerpt(error.doc[error.pos : error.pos + _EXCERPT + 1])}"
    except RecursionError:
        problem = "it is nested too deep"
    except _Constant as error:
        problem = f"it contains {error}, which JSON does not allow"
    raise DecodingError(f"the message is not valid JSON: {problem}")


class _Constant(Exception):
    """Python's json module found NaN or Infinity."""


def _refuse_constant(name: str) -> NoReturn:
    raise _Constant(name)


def _parse_int(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)  # more digits than Python allows; infinite, as in JSON.parse


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"


# A string may lack its end: to try each quote as a new beginning would take quadratic time.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def _depth(frame: bytes) -> int:
    """Return how deeply a JSON text is nested.

    Python's json recurses in C, up to a limit that the user may have raised beyond what the stack
    can hold.
    """
    brackets = _STRING.sub(b"", frame).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)
