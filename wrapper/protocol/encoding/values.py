"""How a single Python value is sent; all encodings share this table.

| Python | plain |
|---|---|
| Enum | its value |
| dataclass | dict of its fields |
| datetime, date, time | ISO text; None for not-a-time |
| UUID, path, ObjectId | text |
| numpy array, scalar | nested lists, number |
| namedtuple, subclass of str, int, float, dict, list | the type that it extends |
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import sys
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any

PLAIN: frozenset[type] = frozenset({str, int, float, bool, type(None)})
CONTAINERS = (dict, list, tuple)
BINARY = (bytes, bytearray, memoryview)

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1
UINT64_MAX = 2**64 - 1


class Unsupported(Exception):
    """A value has no plain form; the message continues the value's path: "is a set; …"."""


def simplify(value: Any) -> Any:
    """Bring a value one step closer to a plain one.

    The result, and the values in it, may need further steps.

    Raises:
        Unsupported: the table has no row for the value.
    """
    return step_for(type(value))(value)


def unsupported(value: Any) -> Unsupported:
    """Return the error for a value that cannot be sent, with a hint if there is one."""
    from .hints import describe

    return Unsupported(describe(value))


def is_container(kind: type) -> bool:
    """Return whether values of this type are sent as an object or a list of their contents."""
    return issubclass(kind, CONTAINERS) and not issubclass(kind, enum.Enum)


def simplify_array(array: Any) -> Any:
    """Return a numpy array as lists, or as an array whose memory an encoder can read."""
    kind = array.dtype.kind
    if kind == "m":
        raise Unsupported(
            "is a numpy array of timedelta64; make it numbers, for instance seconds: "
            "array / numpy.timedelta64(1, 's')"
        )
    if kind == "M":
        # numpy converts microseconds to datetime, not-a-time to None, and dates whose year is
        # outside datetime's range to int.
        moments = array.astype("M8[us]")
        beyond = int in set(map(type, moments.ravel().tolist()))
        return array.astype(str).tolist() if beyond else moments.tolist()
    if kind == "f" and array.dtype.itemsize > 8:
        return array.astype("f8")
    if kind in "biuf" and not (array.flags.c_contiguous and array.dtype.isnative):
        # orjson reads memory in this layout directly, without a Python object for each number.
        return array.astype(array.dtype.newbyteorder("="), order="C")
    return array.tolist()


def is_plain_array(value: Any) -> bool:
    """Return whether a value is an array of numbers in a memory layout that encoders can read."""
    array: Any = getattr(sys.modules.get("numpy"), "ndarray", None)
    return (
        array is not None
        and type(value) is array
        and value.ndim > 0
        and value.dtype.kind in "biuf"
        and value.dtype.itemsize <= 8
        and value.dtype.isnative
        and bool(value.flags.c_contiguous)
    )


def simplify_scalar(scalar: Any) -> Any:
    """Return a numpy scalar as a Python number."""
    kind = scalar.dtype.kind
    if kind in "biu":
        return scalar.item()
    if kind == "f":
        return float(scalar)
    if kind == "M":
        moment = scalar.astype("M8[us]").item()
        # numpy returns an int if the year is outside datetime's range.
        return str(scalar) if isinstance(moment, int) else moment
    return _refuse(scalar)


def key_text(key: Any) -> str:
    """Return the text for a dict's key, as JSON writes it: ``true``, ``null``, ``1.5``."""
    while True:
        kind = type(key)
        if kind is str:
            return str(key)
        if key is None:
            return "null"
        if kind is bool:
            return "true" if key else "false"
        if kind is int:
            return digits(key)
        if kind is float:
            return _number_text(key)
        if issubclass(kind, bytes):
            return bytes(key).decode("utf-8", "backslashreplace")
        if is_container(kind):
            return str(key)
        try:
            simpler = simplify(key)
        except Unsupported:
            return str(key)
        if type(simpler) in CONTAINERS:
            return str(simpler if issubclass(kind, enum.Enum) else key)
        key = simpler


def digits(value: int) -> str:
    """Return all digits of an int, even if they exceed the limit of ``str`` (4,300)."""
    try:
        return int.__repr__(value)
    except ValueError:
        import decimal

        return str(decimal.Decimal(value))


def _number_text(value: float) -> str:
    import orjson  # so that keys read exactly as the JSON encoder writes numbers

    return orjson.dumps(value).decode()


def _iso(value: Any) -> str | None:
    # pandas' NaT is a datetime that, like NaN, is not equal to itself.
    return str(value.isoformat()) if value == value else None


def _fields_of(value: Any) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(value)]
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def _refuse(value: Any) -> Any:
    raise unsupported(value)


# Enum comes first: an enum may extend any of the others.
_STEPS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (enum.Enum, lambda value: value.value),
    (tuple, list),
    (str, str.__str__),
    (float, float.__float__),
    (int, int.__int__),
    (dict, dict),
    (list, list),
    (datetime.datetime, _iso),
    (datetime.date, _iso),
    (datetime.time, _iso),
    (uuid.UUID, str),
)


def _find_step(kind: type) -> Callable[[Any], Any]:
    for base, step in _STEPS:
        if issubclass(kind, base):
            return step
    if hasattr(kind, "__dataclass_fields__"):
        return _fields_of
    # A value can have one of these types only if its module is loaded.
    if _is_of(kind, "pathlib", "PurePath") or _is_of(kind, "bson", "ObjectId"):
        return str
    if _is_of(kind, "numpy", "ndarray"):
        return simplify_array
    if _is_of(kind, "numpy", "generic"):
        return simplify_scalar
    return _refuse


def _is_of(kind: type, module: str, name: str) -> bool:
    # The user may have a module with the same name, or the module may be half loaded.
    base = getattr(sys.modules.get(module), name, None)
    return isinstance(base, type) and issubclass(kind, base)


step_for: Callable[[type], Callable[[Any], Any]] = lru_cache(maxsize=256)(_find_step)
"""Returns the function that simplifies values of a type."""
