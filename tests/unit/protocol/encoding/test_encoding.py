"""Rules for all encodings: the table of data types, errors that name the path, junk."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import math
import pathlib
import subprocess
import sys
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.errors import ConfigurationError, DecodingError, EncodingError
from wrapper.protocol.encoding.encoding import Encoding, get_encoding
from wrapper.protocol.messages import shapes
from wrapper.protocol.messages.peek import peek_command

ENCODINGS = ["json", "msgpack", "bson"]
SHOWN = {"json": "JSON", "msgpack": "msgpack", "bson": "BSON"}
NAN = float("nan")


@pytest.fixture(params=ENCODINGS)
def encoding(request: pytest.FixtureRequest) -> Encoding:
    return get_encoding(request.param)


def through(encoding: Encoding, value: Any) -> Any:
    """Encode and decode a result."""
    return encoding.decode(encoding.encode(shapes.done(value)))["data"]


def error_of(encoding: Encoding, value: Any) -> str:
    """Return the message of the error for a result that cannot be sent."""
    with pytest.raises(EncodingError) as caught:
        encoding.encode(shapes.done(value))
    assert caught.value.__cause__ is None
    return str(caught.value)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


class Colour(enum.Enum):
    RED = "red"
    LOST = NAN


Point = collections.namedtuple("Point", "x y")


@dataclass
class Person:
    name: str
    _at: Any = None


class Zone(datetime.tzinfo):
    """A time zone that raises."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def _raise(self, when: datetime.datetime | None) -> Any:
        raise self._error

    utcoffset = dst = tzname = _raise


class TestGetEncoding:
    @pytest.mark.parametrize("name", ENCODINGS)
    def test_by_name(self, name: str) -> None:
        encoding = get_encoding(name)
        assert encoding.name == name
        assert encoding.binary is (name != "json")

    def test_unknown_encoding(self) -> None:
        with pytest.raises(
            ConfigurationError, match="unknown encoding 'xml'; use json, msgpack or"
        ):
            get_encoding("xml")

    @pytest.mark.parametrize("name", ENCODINGS)
    def test_only_its_own_library_is_imported(self, name: str) -> None:
        code = (
            "import sys; from wrapper.protocol.encoding.encoding import get_encoding as get\n"
            "loaded = lambda: {'orjson', 'msgpack', 'bson', 'numpy'} & set(sys.modules)\n"
            "assert not loaded(), loaded()\n"
            f"get({name!r}).encode({{'command': 'done', 'data': [1, {{2: 3}}]}})\n"
            f"assert loaded() <= {{'orjson', {name!r}}}, loaded()"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


class TestTable:
    @pytest.mark.parametrize(
        "value",
        [
            *(None, True, False, 0, -1, 2**63 - 1, -(2**63), 0.0, 1.5, "", "é😀\0", [], {}),
            {"a": [1, {"b": [[], {}, None]}]},
            {"$ref": "#/a", "$id": "b", "x": {"$ref": 1, "$id": 2, "$db": "c"}},
            {"_id": 1, "a.b": 2, "$set": 3, "": 4},
        ],
    )
    def test_json_values_stay_the_same(self, encoding: Encoding, value: Any) -> None:
        result = through(encoding, value)
        assert result == value
        assert isinstance(result, type(value))

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ((1, (2,)), [1, [2]]),
            (Point(1, Point(2, 3)), [1, [2, 3]]),
            ({0: 1, True: 2, None: 3, 1.5: 4}, {"0": 1, "true": 2, "null": 3, "1.5": 4}),
            ({(1, 2): {(3,): 4}}, {"(1, 2)": {"(3,)": 4}}),
            ([{numpy.int64(5): 1}], [{"5": 1}]),
            ({2**70: [2.5]}, {str(2**70): [2.5]}),
            (Colour.RED, "red"),
            (
                Person("Ann", {1: Person("Bob")}),
                {"name": "Ann", "_at": {"1": {"name": "Bob", "_at": None}}},
            ),
            (datetime.datetime.fromisoformat("2020-01-02T03:04"), "2020-01-02T03:04:00"),
            ([datetime.date(2020, 1, 2)] * 2, ["2020-01-02"] * 2),
            (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            (pathlib.PurePosixPath("/a"), "/a"),
            (numpy.float32(0.5), 0.5),
            ({"a": numpy.arange(3)}, {"a": [0, 1, 2]}),
            (numpy.zeros((2, 2)).T, [[0.0, 0.0], [0.0, 0.0]]),
            (numpy.array([{"a": Point(1, 2)}, None]), [{"a": [1, 2]}, None]),
            (numpy.array(["2020-01-02", "NaT"], dtype="M8[ns]"), ["2020-01-02T00:00:00", None]),
            (numpy.array(["2020-01-02", "NaT"], dtype="M8[3D]"), ["2019-12-31T00:00:00", None]),
            (collections.Counter("aab"), {"a": 2, "b": 1}),
        ],
    )
    def test_other_values(self, encoding: Encoding, value: Any, expected: Any) -> None:
        assert through(encoding, value) == expected

    @pytest.mark.parametrize(
        "value", [NAN, numpy.float64(NAN), numpy.float32(NAN), Colour.LOST, numpy.array(NAN)]
    )
    def test_not_a_number(self, encoding: Encoding, value: Any) -> None:
        result = through(encoding, {"a": [value]})["a"][0]
        assert result is None if encoding.name == "json" else math.isnan(result)

    def test_infinity(self, encoding: Encoding) -> None:
        result = through(encoding, [math.inf, numpy.array([-math.inf]), {1: (math.inf,)}])
        if encoding.name == "json":
            assert result == [None, [None], {"1": [None]}]
        else:
            assert result == [math.inf, [-math.inf], {"1": [math.inf]}]

    def test_attribute_that_is_not_a_dataclass_field_is_not_sent(self, encoding: Encoding) -> None:
        person = Person("Ann")
        person.extra = {1}  # type: ignore[attr-defined]
        assert through(encoding, person) == {"name": "Ann", "_at": None}

    @pytest.mark.parametrize("extra", [{}, {1: datetime.date(2020, 1, 1)}, {"x": 2**70}])
    def test_bytes(self, encoding: Encoding, extra: dict[Any, Any]) -> None:
        value = {"b": [b"\0\xff", bytearray(b"ab"), memoryview(b"cd")], **extra}
        if encoding.name == "json":
            assert error_of(encoding, value) == (
                "the result cannot be sent as JSON: result.b[0] is bytes; "
                "set WORKER_ALGORITHM_ENCODING=msgpack (or bson) to send binary data, "
                "or make it text: base64.b64encode(...).decode()"
            )
        else:
            assert through(encoding, value)["b"] == [b"\0\xff", b"ab", b"cd"]

    def test_more_than_16_mb(self, encoding: Encoding) -> None:
        value = {"text": "x" * 20_000_000, "numbers": [1.5] * 1_000_000}
        assert through(encoding, value) == value


class TestRejectedValues:
    @pytest.mark.parametrize(
        ("value", "path"),
        [
            ({1}, "result"),
            ({"items": [0, 1, 2, {"name": {1}}]}, "result.items[3].name"),
            ({"my key": {"a-b": {1}}}, 'result["my key"]["a-b"]'),
            ({'a"\n': {1}}, 'result["a\\"\\n"]'),
            ({"é": {"\ud800": {1}}}, 'result.é["\\ud800"]'),
            ({1: {(2, 3): {1}}}, "result[1][(2, 3)]"),
            ((1, Point(2, {1})), "result[1][1]"),
            (Person("Ann", [Person("Bob", {1})]), "result._at[0]._at"),
            (numpy.array([None, {1}]), "result[1]"),
            ([[1.5] * 1000, ["a", {1}]], "result[1][1]"),
            ({"k" * 200: {1}}, f'result["{"k" * 80}…"]'),
            ({("k" * 200,): {1}}, f"result[('{'k' * 78}…]"),
            ({"data": {"data": {1}}}, "result.data.data"),
        ],
    )
    def test_error_names_the_path(self, encoding: Encoding, value: Any, path: str) -> None:
        expected = f"the result cannot be sent as {SHOWN[encoding.name]}: {path} is a set; "
        assert error_of(encoding, value) == expected + "make it a list: list(...)"

    def test_error_names_the_first_of_several(self, encoding: Encoding) -> None:
        assert "result.b.c is a decimal.Decimal" in error_of(
            encoding, {"a": 1, "b": {"c": decimal.Decimal(1)}, "d": {1}}
        )

    @pytest.mark.parametrize(
        ("message", "subject", "words"),
        [
            (shapes.progress(1, {"a": {1}}), "progress", "the progress cannot"),
            (shapes.progress(1, {"a": {1}}), "progress", ": details.a is a set"),
            (shapes.start_algorithm_execution("1", "a", [{1}]), "input", ": input[0] is a set"),
            (
                shapes.start_stored_sub_pipeline("1", "a", {"x": [{1}]}),
                "flowInput",
                ": flowInput.x[0] is a set",
            ),
            (shapes.done([{1}]), "answer", "the answer cannot be sent"),
            (shapes.done([{1}]), "answer", ": answer[0] is a set"),
        ],
    )
    def test_error_names_the_subject(
        self, encoding: Encoding, message: dict[str, Any], subject: str, words: str
    ) -> None:
        with pytest.raises(EncodingError) as caught:
            encoding.encode(message, subject)
        assert words in str(caught.value)

    def test_cycles(self, encoding: Encoding) -> None:
        ring: dict[str, Any] = {"a": {"b": None}}
        ring["a"]["b"] = ring
        many: list[Any] = []
        many.extend([1.5, many, many, many])
        person = Person("Ann")
        person._at = [person]
        objects = numpy.array([None], dtype=object)
        objects[0] = {"x": objects}
        name = SHOWN[encoding.name]
        for value, path in [
            (ring, "result.a.b"),
            (many, "result[1]"),
            (person, "result._at[0]"),
            (objects, "result[0].x"),
            ({"k": many}, "result.k[1]"),
        ]:
            text = f"the result refers to itself at {path}; {name} cannot express that"
            assert error_of(encoding, value) == text

    def test_repeated_value_is_not_a_cycle(self, encoding: Encoding) -> None:
        row = [1, 2]
        person = Person("Ann", row)
        value = {"a": [row, row, [row]], "b": row, "c": [person, person], "d": ((), (), [()])}
        ann = {"name": "Ann", "_at": row}
        assert through(encoding, value) == {
            "a": [row, row, [row]],
            "b": row,
            "c": [ann, ann],
            "d": [[], [], [[]]],
        }

    @pytest.mark.parametrize("depth", [10, 252, 253, 254, 255, 300, 490])
    def test_deep_values(self, encoding: Encoding, depth: int) -> None:
        assert through(encoding, nested(depth)) == nested(depth)

    @pytest.mark.parametrize("depth", [510, 1_100, 100_000])
    def test_too_deep_values_are_rejected(self, encoding: Encoding, depth: int) -> None:
        text = error_of(encoding, nested(depth))
        assert "it is nested more than 500 levels deep, at result[0][0]" in text
        assert len(text) < 250

    def test_no_depth_crashes_the_process_whatever_the_recursion_limit(self) -> None:
        code = (
            "import sys; sys.setrecursionlimit(10**6)\n"
            "from wrapper.errors import WrapperError\n"
            "from wrapper.protocol.encoding.encoding import get_encoding\n"
            "value = 1\n"
            "for _ in range(100_000): value = [value]\n"
            "for name in 'json', 'msgpack', 'bson':\n"
            "    try: get_encoding(name).encode({'command': 'done', 'data': value})\n"
            "    except WrapperError: print(name)\n"
            "for frame in b'[' * 100_000, b'[\"\\\\ud800\",' + b'[' * 100_000 + b']' * 100_001:\n"
            "    try: get_encoding('json').decode(frame)\n"
            "    except WrapperError: print('decode')\n"
        )
        run = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
        assert run.stdout.split() == [b"json", b"msgpack", b"bson", b"decode", b"decode"]

    def test_user_code_that_raises(self, encoding: Encoding) -> None:
        class Key:
            def __str__(self) -> str:
                raise LookupError("no text")

            __repr__ = __str__

        moment = datetime.datetime(2020, 1, 1, tzinfo=Zone(LookupError("no such zone")))
        assert error_of(encoding, [moment]).endswith(
            ": result[0] contains a datetime that cannot be read: LookupError: no such zone"
        )
        assert error_of(encoding, {Key(): 1}).endswith(
            ": result[a Key] contains a Key that cannot be read: LookupError: no text"
        )

    def test_stop_of_the_task_is_not_swallowed(self, encoding: Encoding) -> None:
        class Stop(BaseException):
            pass

        moment = datetime.datetime(2020, 1, 1, tzinfo=Zone(Stop()))
        for value in (moment, {1: moment}, {(1,): moment}):
            with pytest.raises(Stop):
                encoding.encode(shapes.done(value))


# BSON and the worker's msgpack refuse some keys, which tests of their own show.
KEYS = st.text().filter(lambda key: "\0" not in key and key != "__proto__")
PLAIN_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda values: st.lists(values) | st.dictionaries(KEYS, values),
)


class TestProperties:
    @pytest.mark.parametrize("name", ENCODINGS)
    @given(value=PLAIN_VALUES)
    def test_any_plain_value_round_trips(self, name: str, value: Any) -> None:
        assert through(get_encoding(name), value) == value

    @pytest.mark.parametrize("name", ENCODINGS)
    @given(value=PLAIN_VALUES)
    def test_any_plain_value_round_trips_the_slow_way(self, name: str, value: Any) -> None:
        # An int that the encoders reject, and a value that appears twice.
        result = through(get_encoding(name), [2**65, value, value])
        assert result == [2.0**65, value, value]

    @pytest.mark.parametrize("name", ENCODINGS)
    @given(frame=st.binary())
    def test_junk_is_decoded_or_rejected(self, name: str, frame: bytes) -> None:
        with suppress(DecodingError):
            get_encoding(name).decode(frame)

    @pytest.mark.parametrize("name", ENCODINGS)
    @given(data=st.data())
    def test_damaged_frame_is_decoded_or_rejected(self, name: str, data: st.DataObject) -> None:
        value = {"a": [1, 2.5, "é", None, {"b": True}], "$ref": 1, "$id": 2}
        frame = bytearray(get_encoding(name).encode(shapes.done(value)))
        for _ in range(data.draw(st.integers(1, 3))):
            frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
        with suppress(DecodingError):
            get_encoding(name).decode(frame)


class TestDecode:
    @pytest.mark.parametrize("buffer", [bytes, bytearray, memoryview])
    def test_any_buffer(self, encoding: Encoding, buffer: Any) -> None:
        message = {"command": "start", "data": {"a": [1, "é"]}}
        assert encoding.decode(buffer(encoding.encode(message))) == message

    def test_truncated_frame_is_rejected(self, encoding: Encoding) -> None:
        frame = encoding.encode({"command": "start", "data": {"a": [1, "é"]}})
        for length in range(len(frame)):
            with pytest.raises(DecodingError):
                encoding.decode(memoryview(frame)[:length])

    def test_peek_command(self, encoding: Encoding) -> None:
        frame = encoding.encode(shapes.done([1]))
        assert peek_command(encoding.name, frame) == "done"
        assert peek_command(encoding.name, b"") is None
