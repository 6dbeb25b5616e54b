from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.streaming import wire
from wrapper.streaming.asking import WINDOW_BYTES, Ask, Handled
from wrapper.streaming.delivery import Window

ENCODINGS = ["msgpack", "bson", "json"]
MSGPACK = get_encoding("msgpack")


def test_a_question_is_what_the_published_wrappers_send_with_a_window_behind():
    name = wire.encode_plain("B", MSGPACK)
    frames = wire.question_frames(name, Ask("p", 16, (1, 2)))
    assert frames[:2] == [b"\x01", b"\xa1B"]
    assert bytes(frames[2]).startswith(b"\x03\x00")
    parsed = wire.parse_request(frames, MSGPACK)
    assert parsed == (name, wire.Question(name, Window(16, WINDOW_BYTES), (1, 2)))


@pytest.mark.parametrize("third", [b"\x03", b"", b"\x03\x00", b"\x03\x00{", b"\x03\x00[]", b"x"])
def test_a_question_without_a_window_asks_for_one_message(third):
    _, question = wire.parse_request([b"\x01", b"\xa1B", third], MSGPACK)
    assert question == wire.Question(b"\xa1B", None, ())


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("number", [None, 5])
def test_a_report_comes_back_as_it_was_sent(encoding, number):
    used = get_encoding(encoding)
    name = wire.encode_plain("B", used)
    frames = wire.handled_frames(name, Handled("p", number, 1.5), used)
    assert wire.parse_request(frames, used) == (name, wire.Report(number, 1.5))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "value", ["B", [], [{"source": "A", "next": ["B", "C"]}], {"duration": 1.0}]
)
def test_plain_values_come_back(encoding, value):
    used = get_encoding(encoding)
    assert wire.decode_plain(wire.encode_plain(value, used), used) == value


@pytest.mark.parametrize("number", [None, 7])
def test_a_message_comes_back_as_it_was_sent(number):
    frames = wire.message_frames(b"flow", b"12345678", b"payload", number)
    assert wire.parse_answer(frames) == wire.StreamedMessage(
        b"flow", b"12345678", b"payload", number
    )


@pytest.mark.parametrize("has_window", [True, False])
def test_an_empty_queue_comes_back(has_window):
    assert wire.parse_answer(wire.nothing_frames(has_window)) == wire.Nothing(has_window)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6))
def test_junk_is_read_or_refused_but_nothing_else(frames):
    for parse in (wire.parse_answer, lambda each: wire.parse_request(each, MSGPACK)):
        with suppress(wire.WireError):
            parse(frames)
