"""An HTTP service that answers what a test tells it to."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import trustme


class Answer(NamedTuple):
    """One answer.

    Attributes:
        status: of HTTP.
        body: what comes.
        length: what is said to come.
    """

    status: int
    body: bytes
    length: int


class FaultyHttp:
    """The service; on 127.0.0.1, in a thread.

    Args:
        certificate: for https; None: http.
    """

    def __init__(self, certificate: trustme.LeafCert | None = None) -> None:
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[str], Answer] = lambda method: Answer(500, b"", 0)
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20.0  # seconds for a client that says nothing

            def do_GET(self) -> None:
                service.headers.append({key.lower(): value for key, value in self.headers.items()})
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = service.answer(self.command)
                self.send_response(answer.status)
                self.send_header("Content-Length", str(answer.length))
                self.send_header("ETag", '"x"')
                self.send_header("Last-Modified", "Tue, 24 Nov 2026 20:00:00 GMT")
                self.end_headers()
                self.wfile.write(answer.body)
                if len(answer.body) < answer.length:
                    self.close_connection = True

            do_PUT = do_POST = do_GET  # noqa: N815 (the names that the base class calls)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its own name)
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            # The handshake is part of the first read, in a connection's own thread: in `accept` a
            # client that says nothing would hold up the others, and the end.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            # A client that turns away is no news.
            self._server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def always(self, status: int, body: str, length: int | None = None) -> None:
        """Give this answer to everything."""
        encoded = body.encode()
        answer = Answer(status, encoded, len(encoded) if length is None else length)
        self.answer = lambda method: answer

    def __enter__(self) -> FaultyHttp:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
