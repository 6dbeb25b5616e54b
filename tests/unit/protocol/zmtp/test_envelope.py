"""The envelope of a request."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wrapper.protocol.zmtp.envelope import open_envelope

ROUTES = st.lists(st.binary(min_size=1, max_size=3), max_size=3)
BODIES = st.lists(st.binary(max_size=3), min_size=1, max_size=4)


@given(ROUTES, BODIES)
def test_frames_before_the_first_empty_one_are_the_envelope(
    route: list[bytes], body: list[bytes]
) -> None:
    opened = open_envelope([*route, b"", *body])
    assert opened is not None
    assert opened.envelope == [*route, b""]
    assert opened.body == body


@given(ROUTES)
def test_message_without_an_empty_frame_or_a_body_has_no_envelope(route: list[bytes]) -> None:
    assert open_envelope(route) is None
    assert open_envelope([*route, b""]) is None
