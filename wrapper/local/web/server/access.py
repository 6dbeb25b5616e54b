"""Decides who may use the page: a browser that was opened with the link of the terminal.

The page runs code and shows its data. Other pages in the same browser, names that were pointed to
127.0.0.1 (DNS rebinding) and other users of this machine must not reach it.
"""

from __future__ import annotations

import hmac
import http
import os
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers

from ...worker.admission import LOCAL_HOSTS


def page_token(file: Path | None) -> str:
    """Return the secret of the page.

    It stays the same, so that an open page finds its server again after a restart.

    Args:
        file: where it is kept, readable by its owner only; None: make one for this time.
    """
    if file is None:
        return secrets.token_urlsafe(24)
    try:
        if file.stat().st_mode & 0o077 == 0:
            kept = file.read_text(encoding="ascii").strip()
            if len(kept) >= 32:
                return kept
    except (OSError, ValueError):
        pass  # there is none yet, or it is not ours
    token = secrets.token_urlsafe(24)
    try:
        file.unlink(missing_ok=True)
        fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(fd, "w", encoding="ascii") as opened:
            opened.write(token)
    except OSError:
        pass  # a read-only folder: the secret is for this time only
    return token


class Access:
    """The rules for requests to one server.

    Args:
        port: the server's TCP port.
        token: the page's secret.
    """

    def __init__(self, port: int, token: str) -> None:
        self._token = token
        self._hosts = {f"{name}:{port}" for name in LOCAL_HOSTS}
        self._origins = {f"http://{host}" for host in self._hosts}
        self._cookie = f"hkube_dev_{port}"  # browsers share cookies among ports

    def has_token(self, path: str) -> bool:
        """Whether a URL has the page's secret in its query."""
        return self._is_token(parse_qs(urlsplit(path).query).get("token", [""])[-1])

    def cookie(self) -> str:
        """Return the `Set-Cookie` header that replaces the secret in the URL."""
        return f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"

    def refusal(self, path: str, headers: Headers, is_socket: bool) -> str:
        """Say why a request is refused; empty if it is accepted.

        Args:
            path: the path and the query of its URL.
            headers: its headers.
            is_socket: whether it opens the WebSocket. A browser then always names the origin.
        """
        hosts, origins = headers.get_all("Host"), headers.get_all("Origin")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return "the Host header must be that of the link in the terminal"
        if is_socket and not origins:
            return "the WebSocket is for the page only: the Origin header is missing"
        if any(origin.lower() not in self._origins for origin in origins):
            return "requests of other pages are refused"
        if self.has_token(path) or self._has_cookie(headers):
            return ""
        return "open the page with the link that hkube-wrapper dev prints in the terminal"

    def _has_cookie(self, headers: Headers) -> bool:
        for line in headers.get_all("Cookie"):
            try:
                found = SimpleCookie(line).get(self._cookie)
            except CookieError:
                continue
            if found is not None and self._is_token(found.value):
                return True
        return False

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


FORBIDDEN = http.HTTPStatus.FORBIDDEN
