"""How messages from the worker are routed, however odd they are."""

from __future__ import annotations

import json
from typing import Any

import bson
import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.protocol.messages import commands as command_names
from wrapper.protocol.messages import shapes
from wrapper.protocol.task import events
from wrapper.supervisor.worker.routing import (
    AlreadyConnected,
    Odd,
    ParentsChanged,
    is_answer,
    route,
)

ENCODINGS = ["json", "msgpack", "bson"]
EVENTS = (
    events.InitializeReceived,
    events.StartReceived,
    events.StopReceived,
    events.ExitReceived,
    events.AnswerReceived,
)
ANSWERS = [
    "subPipelineStarted",
    "subPipelineDone",
    "subPipelineError",
    "subPipelineStopped",
    "subPiplineStopped",
    "algorithmExecutionDone",
    "algorithmExecutionError",
    "dataSourceResponse",
]


def encoded(message: Any, encoding: str) -> bytes:
    if encoding == "json":
        return json.dumps(message).encode()
    if encoding == "msgpack":
        return bytes(msgpack.packb(message))
    return bytes(bson.encode({"data": message}))


def odd_text(routed: object) -> str:
    assert isinstance(routed, Odd), routed
    return routed.text


def test_answers_are_those_that_can_be_parsed() -> None:
    assert set(shapes._ANSWERS) == command_names.ANSWERS == set(ANSWERS)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("command", "event"),
    [
        ("initialize", events.InitializeReceived),
        ("start", events.StartReceived),
        ("stop", events.StopReceived),
        *((answer, events.AnswerReceived) for answer in ANSWERS),
    ],
)
def test_message_is_passed_on_unchanged(command: str, event: type, encoding: str) -> None:
    frame = encoded({"command": command, "data": {"x": 1}}, encoding)

    assert route(frame, encoding) == event(frame)
    assert route(bytearray(frame), encoding) == event(frame)
    assert is_answer(frame) == is_answer(bytearray(frame))
    assert not is_answer(frame) or event is events.AnswerReceived


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("message", [{"command": "stop"}, {"data": {"a": 1}, "command": "stop"}])
def test_command_may_stand_anywhere_and_without_data(message: object, encoding: str) -> None:
    frame = encoded(message, encoding)

    assert route(frame, encoding) == events.StopReceived(frame)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_large_frame_is_not_decoded(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = encoded({"command": "initialize", "data": {"input": ["x" * 1000]}}, encoding)
    monkeypatch.setattr("wrapper.supervisor.worker.routing.get_encoding", None)

    assert route(frame, encoding) == events.InitializeReceived(frame)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"exitCode": 3}, 3),
        ({"exitCode": 0}, 0),
        ({"exitCode": "7"}, 0),
        ({"exitCode": -3}, 0),
        ({"exitCode": 3000}, 255),
        ({"exitCode": None}, 0),
        ({"exitCode": [1]}, 0),
        ({}, 0),
        (None, 0),
        ([5], 0),
    ],
)
def test_exit_code(data: object, code: int, encoding: str) -> None:
    routed = route(encoded({"command": "exit", "data": data}, encoding), encoding)

    assert isinstance(routed, events.ExitReceived)
    assert routed.code == code


def test_exit_that_cannot_be_decoded_is_still_an_exit() -> None:
    frame = b'{"command":"exit","data":{"exitCode":'

    assert route(frame, "json") == events.ExitReceived(0, frame)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("data", "hostname"),
    [
        ({"hostname": "laptop"}, "laptop"),
        ({}, ""),
        (None, ""),
        ("laptop", ""),
        ({"hostname": 5}, "5"),
    ],
)
def test_hostname_of_the_connected_wrapper(data: object, hostname: str, encoding: str) -> None:
    frame = encoded({"command": "alreadyConnectedError", "data": data}, encoding)

    assert route(frame, encoding) == AlreadyConnected(hostname)


def test_news_of_parents_is_recognized() -> None:
    frame = encoded({"command": "serviceDiscoveryUpdate", "data": []}, "json")

    assert route(frame, "json") == ParentsChanged()


def test_a_message_of_the_debug_gateway_goes_to_user_code() -> None:
    frame = encoded({"command": "streamingInMessage", "data": {}}, "json")

    assert isinstance(route(frame, "json"), events.AnswerReceived)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("message", [{}, {"data": 1}, {"command": 5}, {"command": None}])
def test_message_without_a_command_is_ignored(message: object, encoding: str) -> None:
    assert "no command" in odd_text(route(encoded(message, encoding), encoding))


@pytest.mark.parametrize("frame", [b"5", b"null", b'"stop"', b"[]", b'["command","stop"]'])
def test_message_that_is_not_an_object_is_ignored(frame: bytes) -> None:
    assert "no command" in odd_text(route(frame, "json"))


def test_unknown_command_is_named_in_one_short_line() -> None:
    text = odd_text(route(json.dumps({"command": "dance\n" * 1000}).encode(), "json"))

    assert "'dance\\ndance" in text
    assert len(text.splitlines()) == 1
    assert len(text) < 150


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("frame", [b"", b"{", b"\xff\xfe", b"\x00" * 200, b"[" * 100_000])
def test_message_that_cannot_be_decoded_is_reported(frame: bytes, encoding: str) -> None:
    routed = route(frame, encoding)

    assert isinstance(routed, Odd)
    assert routed.level == "warning"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_deep_nesting_is_harmless(encoding: str) -> None:
    depth = 50_000
    if encoding == "json":
        frame = b'{"x":' * depth + b"1" + b"}" * depth
    elif encoding == "msgpack":
        frame = b"\x81\xa1x" * depth + b"\x01"
    else:
        heads = ((5 + 8 * (depth - level)).to_bytes(4, "little") for level in range(depth))
        frame = b"".join(head + b"\x03x\0" for head in heads) + b"\x05" + bytes(4 + depth)

    assert isinstance(route(frame, encoding), Odd)


@given(st.sampled_from(ENCODINGS), st.binary(max_size=300))
def test_junk_never_raises(encoding: str, junk: bytes) -> None:
    assert isinstance(route(junk, encoding), (*EVENTS, Odd, AlreadyConnected))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
commands = st.sampled_from(
    ["initialize", "start", "stop", "exit", "alreadyConnectedError", *ANSWERS]
)


@given(st.sampled_from(ENCODINGS), commands | st.text(max_size=40), json_values)
@settings(deadline=None)
def test_any_message_is_routed(encoding: str, command: str, data: Any) -> None:
    try:
        frame = get_encoding(encoding).encode({"command": command, "data": data})
    except Exception:  # some encodings cannot express some values
        return
    routed = route(frame, encoding)

    assert isinstance(routed, (*EVENTS, Odd, AlreadyConnected))
    if command in ANSWERS or is_answer(frame):
        assert routed == events.AnswerReceived(frame)


@given(st.sampled_from(ENCODINGS), commands, json_values, st.data())
@settings(deadline=None)
def test_damaged_message_never_raises(
    encoding: str, command: str, data: Any, draw: st.DataObject
) -> None:
    try:
        frame = bytearray(get_encoding(encoding).encode({"command": command, "data": data}))
    except Exception:  # as above
        return
    for _ in range(draw.draw(st.integers(1, 3))):
        place = draw.draw(st.integers(0, len(frame) - 1))
        frame[place] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(0, len(frame)))

    for damaged in (frame, frame[:cut]):
        assert isinstance(route(damaged, encoding), (*EVENTS, Odd, AlreadyConnected))
