"""The files of the page, and the headers that every response has."""

from __future__ import annotations

import http
from pathlib import Path

from websockets.datastructures import Headers
from websockets.http11 import Response

STATIC = Path(__file__).with_name("static")

# Only the page's own scripts, styles and connections; nothing inline, nothing from elsewhere.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def page_file(name: str) -> Response | None:
    """Return a file of the page; None if there is none of this name."""
    file = STATIC / name
    kind = _TYPES.get(file.suffix)
    if kind is None or STATIC not in file.resolve().parents or not file.is_file():
        return None
    return respond(http.HTTPStatus.OK, file.read_bytes(), {"Content-Type": kind})


def respond(
    status: http.HTTPStatus, body: bytes | str, headers: dict[str, str] | None = None
) -> Response:
    """Return a response with the headers that keep the page to itself."""
    content = body.encode() if isinstance(body, str) else body
    fields = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(content)),
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Connection": "close",
    } | (headers or {})
    return Response(status.value, status.phrase, Headers(fields), content)
