"""The WebSocket opening handshake (RFC 6455, 4) for the client's side, without I/O.

Used for the worker in our own pod. websocket-client opens all other connections (TLS, proxies);
importing it takes as long as all the rest of the supervisor's start.
"""

from __future__ import annotations

import os
from binascii import b2a_base64

try:  # as the module `random` does: hashlib loads OpenSSL, which a connection to our pod needs not
    from _sha1 import sha1
except ImportError:
    from hashlib import sha1

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_END = b"\r\n\r\n"
_MOST_BYTES = 64 * 1024


class HandshakeError(Exception):
    """The server did not open a WebSocket; the message says what it answered."""


def new_key() -> str:
    """Return a random key for one handshake."""
    return b2a_base64(os.urandom(16), newline=False).decode()


def request(host: str, port: int, path: str, key: str) -> bytes:
    """Return the client's request.

    Args:
        host: host of the URL; an IPv6 address without brackets.
        port: TCP port.
        path: path and query.
        key: a key from `new_key`.
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
    """Return the length of the server's response in bytes; None while it is incomplete.

    The bytes after it are frames.

    Raises:
        HandshakeError: it is too long to be a response.
    """
    end = received.find(_END)
    if end >= 0:
        return end + len(_END)
    if len(received) >= _MOST_BYTES:
        raise HandshakeError(f"it answered with more than {_MOST_BYTES:,} bytes of headers")
    return None


def check_response(response: bytes | bytearray, key: str) -> None:
    """Check that the server's response opens a WebSocket.

    Raises:
        HandshakeError: it does not.
    """
    status, *lines = bytes(response).decode("latin-1").split("\r\n")
    version, _, rest = status.partition(" ")
    if not version.startswith("HTTP/"):
        raise HandshakeError("the server there does not speak HTTP")
    if not rest.startswith("101"):
        raise HandshakeError(f"it answered with HTTP status {rest}, not with a WebSocket".strip())
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    expected = b2a_base64(sha1(key.encode() + _GUID).digest(), newline=False).decode()
    if headers.get("sec-websocket-accept") != expected:
        raise HandshakeError("its answer to the WebSocket handshake does not match our key")
