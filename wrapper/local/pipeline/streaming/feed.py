"""Posts the lines of a file to a gateway, one message each."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import final
from urllib.parse import quote

PATIENCE = 20.0
"""Seconds that a gateway may be away, because it starts or is restarted."""
_PIECE = 64 * 1024


class FeedFailed(Exception):
    """A line cannot be sent; the text names the line."""


@final
class MessageFeed:
    """Sends lines, from a thread.

    Args:
        fd: where the lines are read from; each is a JSON value.
        name: what errors call the file.
        port: the HTTP port of the gateway.
        flow: the flow of the messages; None for the default flow.
        on_end: called at the end, with the reason if a line could not be sent.
    """

    def __init__(
        self,
        fd: int,
        name: str,
        port: int,
        flow: str | None,
        on_end: Callable[[str | None], object],
    ) -> None:
        self._fd = fd
        self._name = name
        self._port = port
        self._path = "/streaming/message" + (f"?flow={quote(flow, safe='')}" if flow else "")
        self._on_end = on_end
        self._has_started = False

    def start(self) -> None:
        """Begin to send; the second time it does nothing."""
        if not self._has_started:
            self._has_started = True
            threading.Thread(target=self._run, name="feed", daemon=True).start()

    def _run(self) -> None:
        try:
            self._send_all()
        except FeedFailed as failed:
            self._on_end(str(failed))
        except OSError as error:
            self._on_end(f"cannot read {self._name}: {error.strerror or error}")
        else:
            self._on_end(None)

    def _send_all(self) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port)) as connection:
            for number, line in enumerate(_lines(self._fd), start=1):
                if not line.strip():
                    continue
                status, body = self._post(connection, line)
                if status != http.HTTPStatus.OK:
                    try:
                        reason = json.loads(body)["error"]
                    except (ValueError, KeyError, TypeError):
                        reason = f"the gateway answered {status}"
                    raise FeedFailed(f"line {number} of {self._name}: {reason}")

    def _post(self, connection: http.client.HTTPConnection, line: bytes) -> tuple[int, bytes]:
        """Send a line; it is sent again if the gateway goes away meanwhile."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                connection.request("POST", self._path, line)
                response = connection.getresponse()
                return response.status, response.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if time.monotonic() > until:
                    raise FeedFailed(f"cannot reach the gateway: {error}") from error
                time.sleep(0.05)


def _lines(fd: int) -> Iterator[bytes]:
    """Yield the lines of a file. A thread that waits in `sys.stdin` would block the exit."""
    parts: list[bytes] = []
    while piece := os.read(fd, _PIECE):
        first, *others = piece.split(b"\n")
        parts.append(first)
        for line in others:
            yield b"".join(parts)
            parts = [line]
    if any(parts):
        yield b"".join(parts)
