"""Messages as JSON, strictly: what goes out can be read by ``JSON.parse``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
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

# What is left to `_default`, since orjson (3.13) by itself
# - of a dataclass sends attributes that are not fields and drops fields named _x;
# - dies with the process when a time zone raises, and drops seconds of its offset;
# - of numpy's datetime64 sends not-a-time as 1970 or 1677, and dies of units such as 3 days.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME

_MAX_DECODED_DEPTH = 1024  # orjson's own
_EXCERPT = 60  # characters
_LARGE_BYTES = 8 * 1024 * 1024
_SAFE_RECURSION_LIMIT = 5_000  # levels that the C stack surely holds


class JsonEncoding:
    """JSON by orjson; what orjson does not take goes the slow way."""

    name = "json"
    binary = False

    def encode(self, message: Mapping[str, Any], subject: str = "result") -> bytes:
        """Writes a message; see ``Encoding``."""
        try:
            return orjson.dumps(message, _default, _OPTIONS)
        except orjson.JSONEncodeError as error:
            unsupported = _unsupported(error)
        if not unsupported:
            try:
                return orjson.dumps(message, _default, _OPTIONS | orjson.OPT_NON_STR_KEYS)
            except orjson.JSONEncodeError as error:
                _unsupported(error)
        return orjson.dumps(convert(message, _FORMAT, subject))

    def decode(self, frame: bytes | bytearray | memoryview) -> Any:
        """Reads a message; see ``Encoding``."""
        try:
            if len(frame) >= _LARGE_BYTES:
                return _decode_large(frame)
            return orjson.loads(frame)
        except orjson.JSONDecodeError:
            pass  # it is told below, and with it goes orjson's copy of the whole frame
        return _decode_slowly(bytes(frame))


def _unsupported(error: orjson.JSONEncodeError) -> bool:
    """Whether encoding failed because a value has no plain form."""
    cause = error.__cause__
    if cause is not None and not isinstance(cause, Exception):
        # orjson catches all that is raised while it calls `simplify`, a stop of the task too.
        raise cause from None
    return isinstance(cause, Unsupported)


def _default(value: Any) -> Any:
    """What orjson calls for a value that it does not take."""
    step = step_for(type(value))
    text = _numpy_text(value) if step in _NUMPY_STEPS else None
    return step(value) if text is None else text


def _numpy_text(value: Any) -> orjson.Fragment | None:
    """Numbers of numpy's, read from their memory and with no more digits than they have."""
    if value.dtype.kind not in "biuf" or not value.dtype.isnative:
        return None  # orjson 3.10 would read the bytes in the wrong order
    try:
        return orjson.Fragment(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))
    except orjson.JSONEncodeError:
        return None  # its order, its size; `simplify` mends these


_NUMPY_STEPS = (simplify_array, simplify_scalar)


class _JsonFormat(Format):
    """Writes each container as soon as it is done, so that orjson's depth limit is never met."""

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
        except orjson.JSONEncodeError:  # for a lone surrogate in a key
            assert isinstance(container, dict)
        pairs = (_quote(key) + b":" + orjson.dumps(value) for key, value in container.items())
        return orjson.Fragment(b"{" + b",".join(pairs) + b"}")


_FORMAT = _JsonFormat("JSON", binary=False, leaves=PLAIN)


def _is_sound(text: str) -> bool:
    """Whether a text can be written as UTF-8: whether it has no lone surrogate."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _quote(text: str) -> bytes:
    """A JSON string with lone surrogates as ``\\ud800``, as JSON.stringify writes them."""
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _decode_large(frame: bytes | bytearray | memoryview) -> Any:
    """Reads a large frame with the least memory.

    orjson copies the frame and makes a tree of its own before the objects: together, 5 times the
    frame for a list of numbers. msgspec makes the objects straight from the frame: 3 times.
    """
    import msgspec

    if sys.getrecursionlimit() > _SAFE_RECURSION_LIMIT:
        return orjson.loads(frame)  # msgspec recurses in C as deep as the user lets Python go
    try:
        return msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return orjson.loads(frame)  # what orjson says of it is what is told


def _decode_slowly(frame: bytes) -> Any:
    """Reads what orjson does not, as lone surrogates; says what is wrong with the rest.

    Raises:
        DecodingError: the frame is not JSON.
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
        problem = f"it holds {error}, which JSON does not have"
    raise DecodingError(f"the message is not valid JSON: {problem}")


class _Constant(Exception):
    """Python's json meets NaN or Infinity."""


def _refuse_constant(name: str) -> NoReturn:
    raise _Constant(name)


def _parse_int(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)  # beyond Python's limit on digits; infinite, as for JSON.parse


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"


# A string may lack its end: trying each quote anew as a beginning would take quadratic time.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def _depth(frame: bytes) -> int:
    """How deep a JSON text is nested.

    Python's json recurses in C, up to a limit that the user may have raised beyond what the stack
    holds.
    """
    brackets = _STRING.sub(b"", frame).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)
