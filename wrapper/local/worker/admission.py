"""Decides who may connect to a local worker.

Any page in a browser can open a WebSocket to 127.0.0.1. It would read the task's input and forge
its result, so only the algorithm's own process is accepted.
"""

from __future__ import annotations

import functools
import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from websockets.datastructures import Headers

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


@functools.cache
def run_token() -> str:
    """Return the secret of this command, which its algorithm processes have in their URL."""
    return secrets.token_urlsafe(24)


def refusal(path: str, headers: Headers, port: int, token: str) -> str:
    """Say why a request for a connection is refused; empty if it is accepted.

    Args:
        path: the path and the query of its URL.
        headers: its headers.
        port: the port that the worker listens on.
        token: the secret that its URL must have; empty for none.
    """
    if "Origin" in headers:
        return "requests of web pages are refused"
    hosts = headers.get_all("Host")
    if len(hosts) != 1 or hosts[0].lower() not in {
        each for name in LOCAL_HOSTS for each in (f"{name}:{port}", name)
    }:
        return f"the Host header must be 127.0.0.1:{port}"
    given = parse_qs(urlsplit(path).query).get("token", [""])[-1]
    if token and not hmac.compare_digest(given.encode(), token.encode()):
        return "the token in the URL is missing or wrong: set WORKER_SOCKET_TOKEN to the worker's"
    return ""
