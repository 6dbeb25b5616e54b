"""Sends spans to an OTLP receiver, in a thread: the supervisor's loop never waits for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...text.redaction import redacted
from .finished_span import FinishedSpan
from .otlp import traces_body

if TYPE_CHECKING:
    from ...log import Log

_MAX_WAITING = 5_000  # spans
_MAX_AT_ONCE = 500
_GATHER_FOR = 1.0  # seconds; what ends within them goes into one request
_REQUEST_TIMEOUT = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_TRY_AGAIN = frozenset((429, 502, 503, 504))
_WARN_EVERY = 60.0

Post = Callable[[bytes], int]


class SpanExporter:
    """Sends spans; those that cannot be sent for long are dropped, oldest first.

    Args:
        url: where to.
        headers: headers of the requests.
        resource: attributes of the service.
        log: the wrapper's log.
        post: sends a body and returns the status of the answer; None: over HTTP.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        resource: Mapping[str, str],
        log: Log,
        post: Post | None = None,
    ) -> None:
        self._url = url
        self._resource = resource
        self._log = log
        self._post = post or (lambda body: _post(url, headers, body))
        self._waiting: deque[FinishedSpan] = deque()
        self._dropped = 0
        self._changed = threading.Condition()
        self._is_closing = False
        self._next_warning = float("-inf")
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def send(self, span: FinishedSpan) -> None:
        """Send a span soon; never waits."""
        with self._changed:
            if len(self._waiting) >= _MAX_WAITING:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(span)
            self._changed.notify()

    def begin_to_close(self) -> None:
        """Send what waits at once, and then no more."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()

    def close(self, patience: float) -> None:
        """Wait until everything is sent.

        Args:
            patience: seconds to wait at most; what is left is dropped.
        """
        self.begin_to_close()
        self._thread.join(patience)
        if self._thread.is_alive():
            self._warn("the last traces were not sent: the receiver did not answer in time")

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closing)
                self._changed.wait_for(lambda: self._is_closing, _GATHER_FOR)
                batch = [
                    self._waiting.popleft() for _ in range(min(len(self._waiting), _MAX_AT_ONCE))
                ]
                was_closing = self._is_closing
            if not batch:
                return
            problem = self._try(batch)
            if problem is None:
                pause = _FIRST_PAUSE
                continue
            with self._changed:
                if was_closing:
                    return
                self._waiting.extendleft(reversed(batch))
                while len(self._waiting) > _MAX_WAITING:
                    self._waiting.popleft()
                    self._dropped += 1
                self._changed.wait_for(lambda: self._is_closing, pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _try(self, batch: list[FinishedSpan]) -> str | None:
        """Send a batch; return why it has to be sent again."""
        try:
            status = self._post(traces_body(self._resource, batch))
        # http.client raises what its parts raise: OSError, HTTPException, ValueError, …
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        else:
            if status not in _TRY_AGAIN:
                if status >= 300:
                    self._warn(f"traces were dropped: {self._url} answered with status {status}")
                return None
            problem = f"status {status}"
        self._warn(f"cannot send traces to {self._url}: {problem}")
        return problem

    def _warn(self, text: str) -> None:
        now = time.monotonic()
        if now >= self._next_warning:
            self._next_warning = now + _WARN_EVERY
            dropped = f"; {self._dropped:,} spans were dropped" if self._dropped else ""
            self._log.warning(redacted(text) + dropped)


def _post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    from http.client import HTTPConnection, HTTPSConnection

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    assert parts.hostname is not None
    connection = kind(parts.hostname, parts.port, timeout=_REQUEST_TIMEOUT)
    try:
        own = {"Content-Type": "application/json", "User-Agent": "hkube-wrapper"}
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("POST", path, body, {**headers, **own})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()
