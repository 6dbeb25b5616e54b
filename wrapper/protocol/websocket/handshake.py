"""The opening handshake of a WebSocket (RFC 6455, 4), the client's side, with no I/O.

For the worker in our own pod. websocket-client opens all other connections (TLS, proxies), but
its import takes as long as all the rest of the supervisor's start.
"""

from __future__ import annotations

import os
from binascii import b2a_base64
from hashlib import sha1

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_END = b"\r\n\r\n"
_MOST_BYTES = 64 * 1024


class HandshakeError(Exception):
    """The server's answer opens no WebSocket; the text says what it is instead."""


def new_key() -> str:
    """A key for one handshake."""
    return b2a_base64(os.urandom(16), newline=False).decode()


def request(host: str, port: int, path: str, key: str) -> bytes:
    """What the client sends.

    Args:
        host: as in the URL, an IPv6 address without brackets.
        port: TCP port.
        path: path and query.
        key: of `new_key`.
    """
    shown = f"[{host}]" if ":" in host else host
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {shown}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    )
    return "\r\n".join(lines).encode() + _END


def response_length(received: bytes | bytearray) -> int | None:
    """The length of the server's answer, bytes; None while it is incomplete.

    What follows it are frames.

    Raises:
        HandshakeError: this will be no answer.
    """
    end = received.find(_END)
    if end >= 0:
        return end + len(_END)
    if len(received) >= _MOST_BYTES:
        raise HandshakeError(f"it answered with more than {_MOST_BYTES:,} bytes of headers")
    return None


def check_response(response: bytes | bytearray, key: str) -> None:
    """See whether the server's answer opens a WebSocket.

    Raises:
        HandshakeError: it does not.
    """
    status, *lines = bytes(response).decode("latin-1").split("\r\n")
    version, _, rest = status.partition(" ")
    if not version.startswith("HTTP/"):
        raise HandshakeError("what answers there does not speak HTTP")
    if not rest.startswith("101"):
        raise HandshakeError(f"it answered with HTTP status {rest}, not with a WebSocket".strip())
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    expected = b2a_base64(sha1(key.encode() + _GUID).digest(), newline=False).decode()
    if headers.get("sec-websocket-accept") != expected:
        raise HandshakeError("its answer to the WebSocket handshake is not the one to our key")
