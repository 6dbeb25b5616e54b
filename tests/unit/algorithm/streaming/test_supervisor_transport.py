"""Messages as frames: the way that they take, their values, the queue's news."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.errors import EncodingError, StreamingError
from wrapper.ipc import stream_frames

from .frames import JOB, Supervisor

REST = [{"source": "A", "next": ["B"]}]
keys = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))  # as BSON's
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
@given(value=values)
def test_what_is_sent_is_what_arrives(encoding: str, value: Any) -> None:
    supervisor = Supervisor(encoding)
    supervisor.transport.send(value, None, None)
    [(_, sent, _)] = supervisor.sent()
    assert sent == value
    arrived = supervisor.transport.decode(supervisor.incoming(3, value, REST, "Ä"))
    assert arrived == (3, value, "Ä", REST)


def test_message_takes_the_default_flow_or_the_one_that_is_named() -> None:
    supervisor = Supervisor()
    supervisor.transport.send(1, None, None)
    supervisor.transport.send(2, "both", None)
    assert supervisor.sent() == [
        ([0], 1, [{"source": "A", "next": ["B"]}]),
        ([0, 1], 2, [{"source": "C", "next": ["D"]}]),
    ]


def test_message_goes_on_along_the_hops_that_came_with_another() -> None:
    supervisor = Supervisor()
    hops = [{"source": "B", "next": ["D"]}, {"source": "D", "next": ["B"]}]
    supervisor.transport.send(1, None, hops)
    assert supervisor.sent() == [([1], 1, hops[1:])]


def test_end_of_a_flow_falls_to_the_default_flow_with_one_warning() -> None:
    supervisor = Supervisor()
    for _ in range(3):
        supervisor.transport.send(1, None, [])
    assert [targets for targets, _, _ in supervisor.sent()] == [[0]] * 3
    assert len(supervisor.warnings) == 1
    assert "flow ends at this node" in supervisor.warnings[0]


def test_flow_without_a_child_drops_the_message_with_one_warning() -> None:
    supervisor = Supervisor()
    for _ in range(3):
        supervisor.transport.send(1, "elsewhere", None)
    assert supervisor.sent() == []
    assert len(supervisor.warnings) == 1
    assert "names no child" in supervisor.warnings[0]


@pytest.mark.parametrize(
    ("job", "flow", "text"),
    [
        ({**JOB, "childs": []}, None, "none stream pipeline"),
        ({**JOB, "defaultFlow": None}, None, "Streaming default flow is None"),
        (JOB, "nowhere", "No such flow nowhere"),
    ],
)
def test_errors_have_the_published_texts(job: dict[str, Any], flow: str | None, text: str) -> None:
    with pytest.raises(StreamingError, match=text):
        Supervisor(job=job).transport.send(1, flow, None)


def test_value_that_cannot_be_sent_sends_nothing() -> None:
    supervisor = Supervisor()
    with pytest.raises(EncodingError):
        supervisor.transport.send(object(), None, None)
    assert supervisor.frames == []


@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
def test_value_that_cannot_be_decoded_counts_as_handled(encoding: str) -> None:
    supervisor = Supervisor(encoding)
    whole = supervisor.incoming(4, {"a": 1})
    assert supervisor.transport.decode(whole[:-2]) is None
    assert supervisor.handled() == [4]
    assert "cannot be decoded" in supervisor.warnings[0]


def test_full_queue_lets_senders_wait_until_there_is_room() -> None:
    supervisor = Supervisor()
    transport = supervisor.transport
    transport.take_reply(stream_frames.command_payload(full=True))
    sender = threading.Thread(target=transport.send, args=(1, None, None))
    sender.start()
    assert supervisor.sent() == []
    assert sender.is_alive()
    transport.take_reply(stream_frames.command_payload(full=False))
    sender.join(10)
    assert len(supervisor.sent()) == 1


def test_stop_lets_senders_go_that_wait_for_room() -> None:
    supervisor = Supervisor()
    supervisor.transport.take_reply(stream_frames.command_payload(full=True))
    sender = threading.Thread(target=supervisor.transport.send, args=(1, None, None))
    sender.start()
    supervisor.transport.close()
    sender.join(10)
    assert len(supervisor.sent()) == 1


def test_statistics_are_asked_for_and_returned() -> None:
    supervisor = Supervisor()
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(supervisor.transport.statistics()))
    asking.start()
    while not supervisor.commands():
        asking.join(0.001)
    request = supervisor.commands()[0]["statistics"]
    supervisor.transport.take_reply(
        stream_frames.command_payload(request=request + 1, statistics={})
    )
    assert asking.is_alive()  # another request's answer
    reply = stream_frames.command_payload(request=request, statistics={"binarySize": 3})
    supervisor.transport.take_reply(reply)
    asking.join(10)
    assert answers == [{"binarySize": 3}]


def test_reset_names_the_number_of_messages() -> None:
    supervisor = Supervisor()
    supervisor.transport.reset(None)
    supervisor.transport.reset(3)
    assert supervisor.commands() == [{"reset": None}, {"reset": 3}]
