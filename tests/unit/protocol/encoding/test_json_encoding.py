"""JSON: always strict, and the same text that JSON.stringify would write."""

from __future__ import annotations

import datetime
import enum
import json
import subprocess
import sys
from contextlib import suppress
from typing import Any, NoReturn

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.errors import DecodingError, EncodingError
from wrapper.protocol.encoding.json_encoding import JsonEncoding
from wrapper.protocol.messages import shapes

JSON = JsonEncoding()
HUGE_INTS = [b"[%d]" % number for number in (2**70, -(2**63) - 1, 2**64, -(10**400))]


def written(value: Any) -> str:
    """Return the JSON text of a result."""
    frame = JSON.encode(shapes.done(value)).decode()
    start, end = '{"command":"done","data":', "}"
    assert frame.startswith(start)
    assert frame.endswith(end)
    return frame[len(start) : -len(end)]


def fail(name: str) -> NoReturn:
    raise AssertionError(f"{name} is not JSON")


def strict(frame: bytes) -> Any:
    """Read JSON strictly by the standard."""
    return json.loads(frame.decode("utf-8"), parse_constant=fail)


class Colour(enum.Enum):
    RED = float("inf")


class TestEncode:
    @pytest.mark.parametrize(
        ("number", "text"),
        [
            (2**64 - 1, "18446744073709551615"),
            (2**64, "18446744073709551616"),
            (-(2**63), "-9223372036854775808"),
            (-(2**63) - 1, "-9223372036854775809"),
            (10**400, "1" + "0" * 400),
        ],
    )
    def test_all_digits_of_an_int(self, number: int, text: str) -> None:
        assert written([number]) == f"[{text}]"
        assert written({"a": 1, "b": (1.5, number)}) == f'{{"a":1,"b":[1.5,{text}]}}'

    def test_more_digits_than_python_allows(self) -> None:
        assert written([-(10**5000) - 1]) == f"[-1{'0' * 4999}1]"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("\ud800", '"\\ud800"'),
            ("a\\\udfffé", '"a\\\\\\udfffé"'),
            ('"\ud800\n', '"\\"\\ud800\\n"'),
        ],
    )
    def test_lone_surrogates(self, text: str, expected: str) -> None:
        assert written(text) == expected
        assert written([{"é": text}, 1]) == f'[{{"é":{expected}}},1]'
        assert written({text: [1], "b": None}) == f'{{{expected}:[1],"b":null}}'

    def test_not_a_number_is_null_at_any_depth(self) -> None:
        nan, inf = float("nan"), float("inf")
        arrays = [
            numpy.array([[nan, 1.5]]),
            numpy.array([[nan], [1.5]]).T,
            numpy.array([-inf], dtype="f4"),
            numpy.array([inf], dtype="f2"),
            numpy.array([inf], dtype=">f8"),
            numpy.array([nan, None], dtype=object),
        ]
        expected = "[[null,1.5]],[[null,1.5]],[null],[null],[null],[null,null]"
        assert written([nan, {"a": -inf}, Colour.RED, *arrays]) == (
            f'[null,{{"a":null}},null,{expected}]'
        )
        assert written([(nan,), {(1,): [-inf]}, *arrays]) == (
            f'[[null],{{"(1,)":[null]}},{expected}]'
        )

    def test_numpy_numbers_have_only_as_many_digits_as_their_type(self) -> None:
        value = [numpy.float32(0.1), numpy.array([0.1], dtype="f4")]
        assert written(value) == "[0.1,[0.1]]"
        assert written([*value, {(1,): value}]) == '[0.1,[0.1],{"(1,)":[0.1,[0.1]]}]'

    def test_large_array_in_a_result_that_takes_the_slow_way(self) -> None:
        value = {"a": numpy.ones((500, 1000)), "b": numpy.ones((500, 1000)).T, (1,): 2}
        result = strict(JSON.encode(shapes.done(value)))["data"]
        assert result == {"a": [[1.0] * 1000] * 500, "b": [[1.0] * 500] * 1000, "(1,)": 2}

    def test_time_zones(self) -> None:
        class NoOffset(datetime.tzinfo):
            def _none(self, when: datetime.datetime | None) -> None:
                return None

            utcoffset = dst = tzname = _none

        odd = datetime.timezone(datetime.timedelta(hours=2, seconds=30))
        moments = [datetime.datetime(2020, 1, 1, tzinfo=zone) for zone in (NoOffset(), odd)]
        assert written(moments) == '["2020-01-01T00:00:00","2020-01-01T00:00:00+02:00:30"]'

    def test_result_matches_json_stringify(self) -> None:
        assert written({"a": [1, 1.5, None, True], "é": "/\u2028"}) == (
            '{"a":[1,1.5,null,true],"é":"/\u2028"}'
        )

    def test_message_may_be_any_mapping(self) -> None:
        frame = JSON.encode({"command": "errorMessage", "error": {"message": "\ud800"}})
        assert strict(frame) == {"command": "errorMessage", "error": {"message": "\ud800"}}


KEYS = st.one_of(
    st.text(st.characters()),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.binary(),
    st.tuples(st.integers()),
    st.dates(),
    st.uuids(),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**60, 2**70),
    st.floats(),
    st.text(st.characters()),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.times(),
    st.uuids(),
    st.sampled_from(Colour),
    st.floats(width=16).map(numpy.float16),
    st.lists(st.floats(), max_size=3).map(numpy.array),
    st.lists(st.datetimes(), max_size=3).map(lambda times: numpy.array(times, dtype="M8[us]")),
)
WILD = st.one_of(st.binary(), st.decimals(), st.complex_numbers(), st.sets(st.integers()))


def trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda values: (
            st.lists(values, max_size=4)
            | st.dictionaries(KEYS, values, max_size=4)
            | st.tuples(values, values)
        ),
        max_leaves=20,
    )


class TestProperties:
    @given(value=trees(LEAVES))
    def test_output_is_strict_json(self, value: Any) -> None:
        assert strict(JSON.encode(shapes.done(value)))["command"] == "done"

    @given(value=trees(LEAVES | WILD))
    def test_value_without_a_plain_form_is_rejected(self, value: Any) -> None:
        with suppress(EncodingError):
            strict(JSON.encode(shapes.done(value)))

    @given(number=st.integers() | st.integers(-(10**60), 10**60))
    def test_any_int(self, number: int) -> None:
        assert strict(JSON.encode(shapes.done({"a": [number]})))["data"] == {"a": [number]}

    @given(text=st.text(st.characters()), key=st.text(st.characters()))
    def test_any_text(self, text: str, key: str) -> None:
        def paired(text: str) -> str:
            # Every reader takes two surrogates that form a pair for one character.
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")

        result = JSON.decode(JSON.encode(shapes.done({key: [text]})))["data"]
        assert result == {paired(key): [paired(text)]}


class TestDecode:
    @pytest.mark.parametrize(
        ("frame", "value"),
        [
            (b'"\\ud800"', "\ud800"),
            (b'{"\\udfff":[1,"\\u00e9"]}', {"\udfff": [1, "é"]}),
            (b'["\\ud800",' + b"1" * 30 + b"]", ["\ud800", int("1" * 30)]),
            (b'["\\ud800","[[[[\\"[[{{"]', ["\ud800", '[[[["[[{{']),
            (b"1" + b"0" * 400, 10**400),
            (b"1" + b"0" * 5000, float("inf")),
            (b"[" * 1000 + b"]" * 1000, None),
        ],
    )
    def test_frames_that_orjson_rejects(self, frame: bytes, value: Any) -> None:
        result = JSON.decode(frame)
        assert result == value or value is None

    @pytest.mark.parametrize(
        ("frame", "words"),
        [
            (b"", "expecting value (character 0)"),
            (b"[1,2", "expecting ',' delimiter (character 4)"),
            (b'{"a": 1 "b": ' + b"x" * 100, f'(character 8): "b": {"x" * 54}…'),
            (b'{"a":NaN}', "it contains NaN, which JSON does not allow"),
            (b"[-Infinity]", "it contains -Infinity, which JSON does not allow"),
            (b'{"a":"\xff"}', "byte 6 is not UTF-8: b'\\xff\"}'"),
            (b"[" * 5000, "it is nested too deep"),
            (b"[" * 5000 + b"]" * 5000, "it is nested too deep"),
            (b'"' + b'\\"' * 100_000, "unterminated string"),
            (b'\\"' * 100_000, "expecting value"),
            (b"{} {}", "extra data (character 3): {}"),
        ],
    )
    def test_error_says_what_is_wrong(self, frame: bytes, words: str) -> None:
        with pytest.raises(DecodingError) as caught:
            JSON.decode(frame)
        text = str(caught.value)
        assert text.startswith("the message is not valid JSON: ")
        assert words in text
        assert len(text) < 200

    @pytest.mark.parametrize(
        "frame",
        [
            b'{"a":[1,2.5,"\xc3\xa9",null,true]}',
            b'["\\ud800"]',
            b'["\xff"]',
            b"[NaN]",
            b"[1,",
            b"[" * 500 + b"]" * 500,
            *HUGE_INTS,
        ],
    )
    def test_large_frame_is_read_like_a_small_one(self, frame: bytes) -> None:
        def outcome(frame: bytes) -> Any:
            try:
                return JSON.decode(frame)
            except DecodingError as error:
                return str(error)[:36]

        assert outcome(b" " * 9_000_000 + frame) == outcome(frame)

    @pytest.mark.parametrize("frame", HUGE_INTS)
    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_huge_int_is_exact(self, frame: bytes, kind: Any) -> None:
        assert JSON.decode(kind(frame)) == json.loads(frame)
        assert type(JSON.decode(kind(frame))[0]) is int

    @given(st.lists(st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, width=64)))
    def test_any_number_is_read_as_python_reads_it(self, numbers: list[float]) -> None:
        frame = json.dumps(numbers).replace("Infinity", "1e300").encode()
        assert repr(JSON.decode(frame)) == repr(json.loads(frame))

    def test_large_frame_with_a_raised_recursion_limit(self) -> None:
        code = (
            "import sys; sys.setrecursionlimit(10**6)\n"
            "from wrapper.errors import DecodingError\n"
            "from wrapper.protocol.encoding.json_encoding import JsonEncoding\n"
            "try: JsonEncoding().decode(b'[' * 9_000_000)\n"
            "except DecodingError as error: print(error)"
        )
        run = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
        assert b"it is nested too deep" in run.stdout

    @given(value=trees(st.none() | st.integers() | st.text(st.characters())))
    def test_anything_that_pythons_json_writes_is_read(self, value: Any) -> None:
        frame = JSON.encode(shapes.done(value))
        assert JSON.decode(b'["\\ud800",' + frame + b"]")[1] == strict(frame)
