"""What requests are answered with."""

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.storage.format.encoded import Encoded, decode_value
from wrapper.storage.peers.answers import MOST_TASKS, Answer, Part, answer_request
from wrapper.storage.peers.held_results import Held, HeldResults

MISSING = {"hkube_error": {"code": "notAvailable", "message": "taskId notAvailable"}}


def holding(*tasks: str) -> HeldResults:
    held = HeldResults(1_000_000)
    for task in tasks:
        held.hold(task, Held(task.encode().ljust(8), memoryview(task.encode())))
    return held


def request(value: Any) -> bytes:
    return bytes(msgpack.packb(value))


def error_of(parts: list[Part], encoding: str = "msgpack") -> Any:
    header, payload = parts
    return decode_value(Encoded(bytes(header), payload), encoding)


def test_results_come_in_the_order_of_the_request_and_are_borrowed() -> None:
    held = holding("a", "b")
    answer = answer_request(request({"tasks": ["b", "gone", "a", "b"]}), "msgpack", held)
    assert answer.parts[:2] == [b"b       ", b"b"]
    assert error_of(answer.parts[2:4]) == MISSING
    assert answer.parts[4:] == [b"a       ", b"a", b"b       ", b"b"]
    assert [kept.result.payload for kept in answer.borrowed] == [b"b", b"a", b"b"]
    assert not held.hold("c", Held(bytes(8), memoryview(bytes(999_000 - 2 * 1024)))), "lent"


@pytest.mark.parametrize("value", [[], {"tasks": 5}, {"tasks": ["a"] * (MOST_TASKS + 1)}, None])
def test_request_that_cannot_be_served_has_one_error(value: Any) -> None:
    answer = answer_request(request(value), "msgpack", holding("a"))
    assert error_of(answer.parts)["hkube_error"]["code"] == "unknown"
    assert answer.borrowed == []


def test_task_id_that_is_no_text_names_nothing() -> None:
    answer = answer_request(request({"tasks": [1, None, [["a"]]]}), "msgpack", holding("1", "a"))
    assert len(answer.parts) == 6 and answer.borrowed == []


def test_errors_have_a_header_in_json_too() -> None:
    data = json.dumps({"tasks": ["gone"]}).encode()
    answer = answer_request(data, "json", holding())
    assert error_of(answer.parts, "json") == MISSING


@given(st.binary(max_size=200), st.sampled_from(["json", "msgpack", "bson"]))
def test_any_bytes_have_an_answer(data: bytes, encoding: str) -> None:
    assert_is_whole(answer_request(data, encoding, holding("a")))


@pytest.mark.parametrize("deep", [b"\x91" * 100_000, b"\x81\xa5tasks" * 50_000])
def test_deeply_nested_request_has_an_answer(deep: bytes) -> None:
    assert_is_whole(answer_request(deep, "msgpack", holding()))
    assert_is_whole(answer_request(b"[" * 100_000, "json", holding()))


def assert_is_whole(answer: Answer) -> None:
    assert answer.parts and len(answer.parts) % 2 == 0
