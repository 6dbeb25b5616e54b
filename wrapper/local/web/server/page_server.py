"""The page's server: files and one WebSocket on a port of 127.0.0.1."""

from __future__ import annotations

import http
import logging
import re
import threading
import time
from collections.abc import Callable
from typing import final
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from ....text.printed_json import as_json
from .access import Access
from .static_files import page_file, respond
from .topics import Topics

HOST = "127.0.0.1"
SOCKET = "/socket"
_PAGE = re.compile(r"/(runs/\d+)?")
_DOWNLOAD = re.compile(r"/runs/(\d+)/result\.json")
_LARGEST_COMMAND = 128 * 1024**2
_CLOSE_TIMEOUT = 1.0
_SEND_INTERVAL = 0.1  # seconds between two messages about the same topic


@final
class PageServer:
    """Serves the page. Use it as a context manager: it serves inside."""

    def __init__(
        self,
        port: int,
        token: str,
        topics: Topics,
        answer: Callable[[str | bytes], str],
        download: Callable[[int], str | None],
    ) -> None:
        """Bind the port.

        Args:
            port: TCP port; 0 picks a free one.
            token: the page's secret.
            topics: what pages follow.
            answer: returns the answer to a message of a page; called from several threads.
            download: returns the result of a run as JSON; None if it is not kept.

        Raises:
            OSError: the port is not available.
        """
        self._topics = topics
        self._answer = answer
        self._download = download
        self._token = token
        logger = logging.getLogger(f"{__name__}.websockets")
        logger.setLevel(logging.CRITICAL)  # a browser that goes away is nothing to report
        self._server = serve(
            self._serve_page,
            HOST,
            port,
            process_request=self._respond,
            max_size=_LARGEST_COMMAND,
            close_timeout=_CLOSE_TIMEOUT,
            logger=logger,
        )
        self.port = int(self._server.socket.getsockname()[1])
        self._access = Access(self.port, token)
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)

    @property
    def link(self) -> str:
        """The URL that opens the page."""
        return f"http://{HOST}:{self.port}/?token={self._token}"

    def __enter__(self) -> PageServer:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._topics.close()
        self._server.shutdown()
        self._thread.join()

    def _respond(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a request for a file; None opens the WebSocket."""
        path = urlsplit(request.path).path
        refusal = self._access.refusal(request.path, request.headers, path == SOCKET)
        if refusal:
            return respond(http.HTTPStatus.FORBIDDEN, f"{refusal}\n")
        if path == SOCKET:
            return None
        if self._access.has_token(request.path):  # out of the address bar and the browser's history
            headers = {"Location": path, "Set-Cookie": self._access.cookie()}
            return respond(http.HTTPStatus.SEE_OTHER, "", headers)
        if (match := _DOWNLOAD.fullmatch(path)) is not None:
            return self._result(int(match[1]))
        found = page_file("index.html" if _PAGE.fullmatch(path) else path.removeprefix("/static/"))
        return found or respond(http.HTTPStatus.NOT_FOUND, "there is no such page\n")

    def _result(self, run: int) -> Response:
        text = self._download(run)
        if text is None:
            return respond(http.HTTPStatus.NOT_FOUND, "the result of this run was not kept\n")
        headers = {
            "Content-Type": "application/json",
            "Content-Disposition": f'attachment; filename="run-{run}-result.json"',
        }
        return respond(http.HTTPStatus.OK, text, headers)

    def _serve_page(self, connection: ServerConnection) -> None:
        sender = threading.Thread(target=self._send_topics, args=(connection,), daemon=True)
        sender.start()
        try:
            for message in connection:
                connection.send(self._answer(message))
        except ConnectionClosed:
            pass  # the page was closed while an answer was on its way

    def _send_topics(self, connection: ServerConnection) -> None:
        seen: dict[str, int] = {}
        try:
            while connection.close_code is None:
                if self._topics.wait(seen, timeout=1.0):
                    for name, value in self._topics.newer(seen):
                        connection.send(as_json({"topic": name, "value": value}))
                    time.sleep(_SEND_INTERVAL)
        except ConnectionClosed:
            pass  # the thread that receives sees it too
