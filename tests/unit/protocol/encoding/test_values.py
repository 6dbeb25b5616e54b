"""The plain form of a single value, and the hint for one that cannot be sent."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import fractions
import io
import pathlib
import re
import types
import uuid
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy
import pytest

from wrapper.protocol.encoding.values import (
    Unsupported,
    digits,
    is_container,
    key_text,
    simplify,
    step_for,
)

UTC = datetime.timezone.utc
NAIVE = datetime.datetime.fromisoformat("2020-01-02T03:04:05.000006")


class Colour(enum.Enum):
    RED = "red"
    PAIR = (1, 2)


class Level(enum.IntEnum):
    HIGH = 3


class Size(str, enum.Enum):
    SMALL = "s"


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Person:
    kind: ClassVar[str] = "person"
    name: str
    _age: int = 5
    friends: list[Person] = field(default_factory=list)


@dataclass
class Slotted:
    __slots__ = ("never_set", "x")
    x: int
    never_set: int


class Text(str):
    def __str__(self) -> str:
        return "misleading"


class Number(int):
    pass


class Real(float):
    pass


class NotATime(datetime.datetime):
    """Like pandas' NaT."""

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def plain(value: Any) -> Any:
    """Simplify a value until it is plain or a container."""
    while type(value) not in (str, int, float, bool, type(None), list, dict):
        value = simplify(value)
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Colour.RED, "red"),
        (Colour.PAIR, [1, 2]),
        (Level.HIGH, 3),
        (Size.SMALL, "s"),
        (Point(1, 2), [1, 2]),
        (Person("Ann"), {"name": "Ann", "_age": 5, "friends": []}),
        (Text("a"), "a"),
        (Number(4), 4),
        (Real(4.5), 4.5),
        (collections.OrderedDict(a=1), {"a": 1}),
        (NAIVE, "2020-01-02T03:04:05.000006"),
        (datetime.datetime(2020, 1, 2, tzinfo=UTC), "2020-01-02T00:00:00+00:00"),
        (datetime.date(2020, 1, 2), "2020-01-02"),
        (datetime.time(3, 4, tzinfo=UTC), "03:04:00+00:00"),
        (NotATime(2020, 1, 1), None),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("a/b"), "a/b"),
        (numpy.int8(-3), -3),
        (numpy.uint64(2**64 - 1), 2**64 - 1),
        (numpy.float16(0.5), 0.5),
        (numpy.float64(0.5), 0.5),
        (numpy.longdouble(0.5), 0.5),
        (numpy.bool_(True), True),
        (numpy.str_("a"), "a"),
        (numpy.datetime64("2020-01-02"), "2020-01-02T00:00:00"),
        (numpy.datetime64("NaT", "s"), None),
        (numpy.datetime64("20000", "Y"), "20000"),
        (numpy.array(1.5), 1.5),
        (numpy.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (numpy.array([[1, 2], [3, 4]]).T, [[1, 3], [2, 4]]),
        (numpy.arange(6)[::2], [0, 2, 4]),
        (numpy.array([1, 2], dtype=">i4"), [1, 2]),
        (numpy.array([0.5], dtype="f2"), [0.5]),
        (numpy.array([0.5], dtype="g"), [0.5]),
        (numpy.array(["a"]), ["a"]),
        (numpy.array([None, "a"], dtype=object), [None, "a"]),
        (numpy.array([]), []),
        (numpy.zeros((2, 0)), [[], []]),
        (numpy.ma.array([1, 2], mask=[False, True]), [1, None]),
        (numpy.array([(1, 0.5)], dtype=[("a", "i4"), ("b", "f4")]), [(1, 0.5)]),
        (numpy.array(["20000", "NaT"], dtype="M8[Y]"), ["20000", "NaT"]),
    ],
)
def test_table(value: Any, expected: Any) -> None:
    result = plain(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize("unit", ["ns", "us", "ms", "s", "h", "D", "3D", "M"])
def test_numpy_times_in_every_unit(unit: str) -> None:
    times = numpy.array(["2020-01", "NaT"], dtype="M8[M]").astype(f"M8[{unit}]")
    first, second = plain(times)
    assert (first.year, second) == (times[0].astype("M8[Y]").astype(int) + 1970, None)


def test_unset_fields_are_left_out() -> None:
    value = Slotted(1, 2)
    del value.never_set
    assert simplify(value) == {"x": 1}


def test_array_is_first_converted_to_a_layout_that_orjson_reads() -> None:
    result = simplify(numpy.asfortranarray(numpy.zeros((2, 3))))
    assert isinstance(result, numpy.ndarray)
    assert result.flags.c_contiguous


def test_user_module_named_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    step_for.cache_clear()  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "numpy", types.ModuleType("numpy"))
    with pytest.raises(Unsupported, match="is a set"):
        simplify({1})


def test_enum_is_never_a_container() -> None:
    class Pair(tuple[int, int], enum.Enum):
        ONE = (1, 1)

    assert is_container(Point)
    assert not is_container(Pair)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("a", "a"),
        (Text("a"), "a"),
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (2**70, str(2**70)),
        (1.5, "1.5"),
        (1e-7, "1e-7"),
        (float("nan"), "null"),
        (b"a\xff", "a\\xff"),
        ((1, "a"), "(1, 'a')"),
        (Point(1, 2), "Point(x=1, y=2)"),
        (frozenset({1}), "frozenset({1})"),
        (Colour.RED, "red"),
        (Colour.PAIR, "(1, 2)"),
        (Level.HIGH, "3"),
        (datetime.date(2020, 1, 2), "2020-01-02"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("a/b"), "a/b"),
        (numpy.int64(4), "4"),
        (numpy.float64(2.5), "2.5"),
        (numpy.bool_(True), "true"),
        (numpy.datetime64("2020-01-02"), "2020-01-02T00:00:00"),
    ],
)
def test_keys(key: Any, text: str) -> None:
    assert key_text(key) == text


def test_key_that_is_a_dataclass() -> None:
    @dataclass(frozen=True)
    class Key:
        x: int

    assert key_text(Key(1)).endswith("Key(x=1)")


def test_all_digits_of_an_int() -> None:
    assert digits(-5) == "-5"
    assert digits(10**5000 + 7) == "1" + "0" * 4999 + "7"


def of_library(name: str, **methods: Any) -> Any:
    """Return an instance of a class that seems to come from a library."""
    module, _, base = name.rpartition(".")
    return type("Child", (type(base, (), {"__module__": module, **methods}),), {})()


class Ordinary:
    pass


class Bare:
    __slots__ = ()


async def coroutine_function() -> None:
    pass


async def async_generator_function() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({1}, "is a set; make it a list: list(...)"),
        (frozenset(), "is a frozenset; make it a list: list(...)"),
        (range(3), "is a range; make it a list: list(...)"),
        ((x for x in "a"), "is a generator; make it a list: list(...)"),
        (map(str, []), "is a map; make it a list: list(...)"),
        ({}.keys(), "is a dict_keys; make it a list: list(...)"),
        (collections.deque(), "is a collections.deque; make it a list: list(...)"),
        (types.MappingProxyType({}), "is a mappingproxy; make it a dict: dict(...)"),
        (collections.UserDict(), "is a collections.UserDict; make it a dict: dict(...)"),
        (decimal.Decimal(1), "is a decimal.Decimal; make it a number: float(...)"),
        (fractions.Fraction(1), "is a fractions.Fraction; make it a number: float(...)"),
        (1j, "is a complex; send its parts: [value.real, value.imag]"),
        (numpy.complex64(1j), "is a numpy.complex64; send its parts"),
        (datetime.timedelta(1), ".total_seconds()"),
        (numpy.timedelta64(1, "s"), "numpy.timedelta64(1, 's')"),
        (numpy.array([1], dtype="m8[ns]"), "array of timedelta64; make it numbers"),
        (numpy.zeros(1, dtype=[("a", "i4")])[0], "is a numpy.void; make it a tuple: .item()"),
        (numpy.bytes_(b"a"), "is a numpy.bytes_; set WORKER_ALGORITHM_ENCODING=msgpack"),
        (b"a", "is bytes; set WORKER_ALGORITHM_ENCODING=msgpack (or bson)"),
        (bytearray(), "is a bytearray; set WORKER_ALGORITHM_ENCODING=msgpack (or bson)"),
        (memoryview(b""), "is a memoryview; set WORKER_ALGORITHM_ENCODING=msgpack (or bson)"),
        (array.array("d"), "is an array.array; make it a list: .tolist()"),
        (len, "did you forget to call it?"),
        (coroutine_function, "is a function; did you forget to call it?"),
        (async_generator_function(), "is an async_generator; collect it"),
        (Ordinary, "is the class Ordinary; did you forget to make an instance of it?"),
        (re, "is a module; "),
        (re.compile("a"), "send its text: .pattern"),
        (ValueError("a"), "is a ValueError; raise it to fail the task, or send its text"),
        (io.StringIO(), "send its content: .read()"),
        (Ordinary(), "make it a dict, for instance with vars(...)"),
        (Bare(), "send a dict, a list, text or a number instead"),
        (of_library("pandas.core.frame.DataFrame"), '.to_dict("records")'),
        (of_library("pandas.core.series.Series", tolist=1), "make it a list: .tolist()"),
        (of_library("pandas._libs.missing.NAType"), "send None"),
        (of_library("torch.Tensor"), "make it an array: .numpy(force=True)"),
        (of_library("pydantic.main.BaseModel", model_dump=1), ".model_dump()"),
        (of_library("somewhere.Thing", __iter__=1), "make it a list: list(...)"),
    ],
)
def test_hints(value: Any, words: str) -> None:
    with pytest.raises(Unsupported) as caught:
        simplify(value)
    assert words in str(caught.value)


def test_coroutine() -> None:
    value = coroutine_function()
    with pytest.raises(Unsupported, match="is a coroutine; did you forget to await it?"):
        simplify(value)
    value.close()
