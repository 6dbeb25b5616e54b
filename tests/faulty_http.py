"""An HTTP service whose responses a test chooses."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import trustme


class Answer(NamedTuple):
    """One response.

    Attributes:
        status: HTTP status code.
        body: The body that is sent.
        length: The length that the header announces, in bytes.
        pause: The seconds before each byte of the body.
        location: The address that a redirect names.
    """

    status: int
    body: bytes
    length: int
    pause: float = 0.0
    location: str = ""


class FaultyHttp:
    """The service, on 127.0.0.1 in a thread.

    Args:
        certificate: Certificate for HTTPS; None for HTTP.
    """

    def __init__(self, certificate: trustme.LeafCert | None = None) -> None:
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[str], Answer] = lambda method: Answer(500, b"", 0)
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20.0  # seconds until a silent client is dropped

            def do_GET(self) -> None:
                service.headers.append({key.lower(): value for key, value in self.headers.items()})
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = service.answer(self.command)
                self.send_response(answer.status)
                self.send_header("Content-Length", str(answer.length))
                if answer.location:
                    self.send_header("Location", answer.location)
                self.send_header("ETag", '"x"')
                self.send_header("Last-Modified", "Tue, 24 Nov 2026 20:00:00 GMT")
                self.end_headers()
                pieces = [bytes([byte]) for byte in answer.body] if answer.pause else [answer.body]
                for piece in pieces:
                    time.sleep(answer.pause)
                    self.wfile.write(piece)
                if len(answer.body) < answer.length:
                    self.close_connection = True

            do_PUT = do_POST = do_GET  # noqa: N815 (names that the base class expects)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            # Do the handshake in the connection's own thread: during `accept`, a silent client
            # would block the others and the shutdown.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            # Do not log clients that disconnect.
            self._server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def always(self, status: int, body: str, length: int | None = None) -> None:
        """Send this response to every request."""
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
