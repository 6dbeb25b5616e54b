"""The opening handshake, with the `websockets` library as the worker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.http11 import Request
from websockets.server import ServerProtocol

from wrapper.protocol.websocket import handshake
from wrapper.protocol.websocket.handshake import HandshakeError

GOOD = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nConnection: Upgrade\r\n"


def answer(request: bytes) -> tuple[Request, bytes]:
    """Return how the library reads a request, and its response."""
    server = ServerProtocol()
    server.receive_data(request)
    [event] = server.events_received()
    assert isinstance(event, Request)
    server.send_response(server.accept(event))
    return event, b"".join(server.data_to_send())


def test_library_accepts_our_request_and_we_its_response() -> None:
    key = handshake.new_key()
    request, response = answer(handshake.request("localhost", 3000, "/?storage=v1&a=b%20c", key))

    assert response.startswith(b"HTTP/1.1 101")
    assert request.path == "/?storage=v1&a=b%20c"
    assert request.headers["Host"] == "localhost:3000"
    assert handshake.response_length(response) == len(response)
    handshake.check_response(response, key)


def test_ipv6_address_is_put_in_brackets() -> None:
    request, _ = answer(handshake.request("::1", 3000, "/", handshake.new_key()))

    assert request.headers["Host"] == "[::1]:3000"


def test_example_of_the_rfc() -> None:
    accept = b"SEC-WEBSOCKET-ACCEPT:s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

    handshake.check_response(GOOD + accept, "dGhlIHNhbXBsZSBub25jZQ==")


def test_keys_differ() -> None:
    assert len({handshake.new_key() for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (GOOD + b"\r\n", "does not match our key"),
        (GOOD + b"Sec-WebSocket-Accept: c3VycHJpc2U=\r\n\r\n", "does not match our key"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "HTTP status 404 Not Found, not with a WebSocket"),
        (b"HTTP/1.1 503\r\n\r\n", "HTTP status 503, not with a WebSocket"),
        (b"HTTP/1.1\r\n\r\n", "not with a WebSocket"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "does not speak HTTP"),
        (b"\r\n\r\n", "does not speak HTTP"),
        (b"\xff\x00\r\n\r\n", "does not speak HTTP"),
    ],
)
def test_error_describes_any_other_response(response: bytes, reason: str) -> None:
    with pytest.raises(HandshakeError, match=reason):
        handshake.check_response(response, handshake.new_key())


def test_frames_after_the_response_are_not_part_of_it() -> None:
    key = handshake.new_key()
    _, response = answer(handshake.request("localhost", 3000, "/", key))

    assert handshake.response_length(response + b"\x81\x02{}") == len(response)
    assert handshake.response_length(response[:-1]) is None


def test_endless_headers_are_rejected() -> None:
    with pytest.raises(HandshakeError, match="65,536 bytes of headers"):
        handshake.response_length(b"x" * 65536)


@given(st.binary(max_size=200))
def test_any_response_is_accepted_or_rejected(junk: bytes) -> None:
    handshake.response_length(junk)
    with pytest.raises(HandshakeError):
        handshake.check_response(junk, handshake.new_key())
