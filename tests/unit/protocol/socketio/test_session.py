"""The start of a socket.io session."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.protocol.socketio.session import SessionError, SessionStart


def test_session_begins_once_both_layers_are_open() -> None:
    start = SessionStart()
    assert not start.take(b'0{"sid":"x","pingInterval":60000,"pingTimeout":30000}')
    assert not start.take(b"6")
    assert start.take(b"40")
    assert start.ping_every == 60.0


@pytest.mark.parametrize("interval", ["null", '"x"', "[]", "{}"])
def test_without_a_valid_interval_pings_are_sent_as_often_as_by_default(interval: str) -> None:
    start = SessionStart()
    start.take(f'0{{"pingInterval":{interval}}}'.encode())
    assert start.ping_every == 25.0


def test_intervals_are_never_so_short_that_pings_would_take_all_time() -> None:
    start = SessionStart()
    start.take(b'0{"pingInterval":0}')
    assert start.ping_every >= 0.05


def test_refusal_is_reported_with_its_reason() -> None:
    start = SessionStart()
    start.take(b"0{}")
    with pytest.raises(SessionError, match="refused the socket.io session: not you"):
        start.take(b'44"not you"')


@pytest.mark.parametrize("first", [b"", b"40", b'{"command":"initialize"}'])
def test_what_does_not_speak_socketio_is_reported_with_the_setting_to_compare(
    first: bytes,
) -> None:
    with pytest.raises(SessionError, match="is WORKER_ALGORITHM_PROTOCOL=socket set"):
        SessionStart().take(first)


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_any_messages_are_read_or_refused(messages: list[bytes]) -> None:
    start = SessionStart()
    try:
        for message in [b"0", *messages]:
            start.take(message)
    except SessionError:
        pass
