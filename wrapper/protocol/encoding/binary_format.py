"""What msgpack and BSON have in common: both keep bytes and NaN, and limit the size of ints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import DecodingError, EncodingError
from .tree import WALK, Format, convert, is_plain
from .values import INT64_MAX, INT64_MIN, PLAIN, Unsupported


@dataclass(frozen=True)
class BinaryFormat(Format):
    """How to make a message plain for msgpack or BSON.

    Attributes:
        lowest: the smallest int to write as an int.
        highest: the largest one.
        bad_key_parts: characters that a key must not contain.
    """

    binary: bool = True
    leaves: frozenset[type] = PLAIN | {bytes}
    lowest: int = INT64_MIN
    highest: int = INT64_MAX
    bad_key_parts: str = ""

    def flat(self, container: Any, types: set[type]) -> Any:
        values: Iterable[Any] = container
        if type(container) is dict:
            if not all(map(self._is_good_key, container)):
                return WALK
            values = container.values()
        ints = (value for value in values if type(value) is int)
        texts = (value for value in values if type(value) is str)
        if int in types and not all(self.lowest <= value <= self.highest for value in ints):
            return WALK
        return container if str not in types or all(map(_is_sound, texts)) else WALK

    def leaf(self, value: Any) -> Any:
        if type(value) is str:
            return _sound(value)
        if type(value) is int and not self.lowest <= value <= self.highest:
            try:
                return float(value)  # JavaScript reads such an int as a float too
            except OverflowError:
                raise Unsupported(
                    f"is an int of {value.bit_length()} bits; make it text: str(...)"
                ) from None
        return value

    def key(self, key: str) -> str:
        if key in self.bad_keys:
            raise Unsupported("has a key that HKube's worker rejects; rename it")
        if any(part in key for part in self.bad_key_parts):
            raise Unsupported("has a null character in its key; remove it")
        return _sound(key)

    def _is_good_key(self, key: str) -> bool:
        return _is_sound(key) and not any(part in key for part in self.bad_key_parts)


def encode(
    message: Mapping[str, Any],
    subject: str,
    form: BinaryFormat,
    pack: Callable[[Any], bytes],
    errors: tuple[type[Exception], ...] = (),
) -> bytes:
    """Write a message: as it is if possible, otherwise made plain first.

    Args:
        pack: the library's function.
        errors: exceptions that it raises besides the usual ones.

    Raises:
        EncodingError: a value cannot be sent.
    """
    refusals: tuple[type[Exception], ...] = (
        ValueError,
        TypeError,
        OverflowError,
        RecursionError,
        *errors,
    )
    if is_plain(message, form):
        try:
            return pack(message)
        except refusals:
            pass  # it cannot write an int or a string: `convert` replaces it or says where it is
    plain = convert(message, form, subject)
    try:
        return pack(plain)
    except refusals as error:
        raise EncodingError(f"the {subject} cannot be sent as {form.name}: {error}") from error


def not_valid(frame: bytes | bytearray | memoryview, encoding: str, reason: str) -> DecodingError:
    """Return the error for a frame that cannot be decoded."""
    size = f"{len(frame)} bytes"
    if len(frame):
        size += f", from {bytes(frame[:8]).hex(' ')}"
    return DecodingError(f"the message is not valid {encoding} ({size}): {reason[:200]}")


def _is_sound(text: str) -> bool:
    return _sound(text) is text


def _sound(text: str) -> str:
    """Return a text with lone surrogates replaced by U+FFFD, as JavaScript writes UTF-8."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
