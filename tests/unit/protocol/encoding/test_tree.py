"""The walk through a message: which values are plain, and which are copied."""

from __future__ import annotations

from typing import Any

import pytest

from wrapper.protocol.encoding.tree import MAX_DEPTH, Format, convert, is_plain
from wrapper.protocol.encoding.values import PLAIN

FORM = Format("X", binary=True, leaves=PLAIN, bad_keys=frozenset({"bad"}))


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


class TestIsPlain:
    @pytest.mark.parametrize(
        "value",
        [
            {},
            {"a": 1, "b": [1.5, None, True, "x", {"c": (1, [])}]},
            {"a": [[1, 2], [3, 4]], "b": [(), ()]},
            {"a": [nested(MAX_DEPTH - 3)]},
        ],
    )
    def test_plain(self, value: Any) -> None:
        assert is_plain(value, FORM)

    @pytest.mark.parametrize(
        "value",
        [
            {"a": {1}},
            {"a": {1: 2}},
            {"a": [[[{"bad": 1}]]]},
            {"a": [b"x"]},
            {"a": [1] * 5 + [object()]},
            {"a": nested(MAX_DEPTH + 1)},
            {"a": type("Sub", (dict,), {})(x=1)},
            {"a": type("Sub", (str,), {})("x")},
        ],
    )
    def test_not_plain(self, value: Any) -> None:
        assert not is_plain(value, FORM)

    def test_container_twice_on_one_level(self) -> None:
        shared = [1]
        ring: list[Any] = [1]
        ring.append([ring])
        assert not is_plain({"a": [shared, shared]}, FORM)
        assert is_plain({"a": shared, "b": [shared]}, FORM)
        assert not is_plain({"a": ring}, FORM)

    def test_too_many_containers_are_not_plain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("wrapper.protocol.encoding.tree._MANY", 3)
        assert is_plain({"a": [[1]]}, FORM)
        assert not is_plain({"a": [[1], [2]]}, FORM)


class TestConvert:
    def test_containers_of_leaves_are_not_copied(self) -> None:
        numbers, record = [1.5] * 10, {"x": 1}
        result = convert({"data": {"n": numbers, "r": [record], 1: 2}}, FORM, "result")
        assert result == {"data": {"n": numbers, "r": [record], "1": 2}}
        assert result["data"]["n"] is numbers
        assert result["data"]["r"][0] is record

    def test_order_of_keys_is_kept(self) -> None:
        result = convert({"z": 1, 2: {"b": 1, "a": [()]}, "a": 3}, FORM, "result")  # type: ignore[dict-item]
        assert list(result) == ["z", "2", "a"]
        assert list(result["2"]) == ["b", "a"]

    def test_subclasses_are_read_by_their_real_content(self) -> None:
        class Strange(dict[str, int]):
            def items(self) -> Any:
                raise AssertionError

        class Odd(list[int]):
            def __iter__(self) -> Any:
                raise AssertionError

        class Even(tuple[int, ...]):
            def __iter__(self) -> Any:
                raise AssertionError

        result = convert({"data": [Strange(a=1), Odd([2]), Even((3,))]}, FORM, "result")
        assert result == {"data": [{"a": 1}, [2], [3]]}
        assert [type(value) for value in result["data"]] == [dict, list, list]

    def test_empty_message(self) -> None:
        assert convert({}, FORM, "result") == {}
