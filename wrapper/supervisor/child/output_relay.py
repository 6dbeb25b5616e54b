"""REDIRECT_LOGS: shows the algorithm's output here, and also sends it to the debug gateway."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from threading import Thread

from ...protocol.encoding.encoding import get_encoding
from ...protocol.messages.shapes import log_data

# Lines that arrive within this time (seconds) are sent in one message.
_GATHER = 0.1
_MAX_LINES = 500
_MAX_BYTES = 1024 * 1024
# An unfinished line is sent once it has not grown for this long, seconds.
_UNFINISHED_AFTER = 1.0
_READ_SIZE = 64 * 1024
# A progress bar may never finish its line: it is cut at this many bytes.
_LONGEST_LINE = 64 * 1024


class OutputRelay:
    """Reads the algorithm process's stdout and stderr in a separate thread.

    The thread also writes to our own output, which blocks while nobody reads it.

    Args:
        encoding: the encoding of messages.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = get_encoding(encoding)
        self._streams: dict[int, _Lines] = {}
        outputs = []
        for shown in (1, 2):
            reading, writing = os.pipe()
            self._streams[reading] = _Lines(shown)
            outputs.append(writing)
        # The write ends stay open here, because a new algorithm process gets them too.
        self.outputs = (outputs[0], outputs[1])
        self._thread: Thread | None = None

    def start(self, send: Callable[[bytes], None]) -> None:
        """Start to read; the thread calls `send` with encoded messages."""
        self._thread = Thread(target=self._run, args=(send,), name="output", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Show and send what is left; call this when the algorithm process has ended."""
        for fd in self.outputs:
            os.close(fd)
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _run(self, send: Callable[[bytes], None]) -> None:
        lines: list[str] = []
        size = 0  # bytes read since lines were last sent
        due: float | None = None  # when to act even if nothing arrives
        streams = dict(self._streams)
        while streams:
            patience = None if due is None else max(0.0, due - time.monotonic())
            ready, _, _ = select.select(list(streams), [], [], patience)
            if due is None:
                due = time.monotonic() + _GATHER
            for fd in ready:
                data = os.read(fd, _READ_SIZE)
                size += len(data)
                lines += streams[fd].take(data)
                if not data:
                    del streams[fd]
            now = time.monotonic()
            if now < due and len(lines) < _MAX_LINES and size < _MAX_BYTES:
                continue
            for stream in streams.values():
                lines += stream.take_unfinished(now)
            self._send(lines, send)
            lines, size = [], 0
            has_rest = any(stream.has_rest for stream in streams.values())
            due = now + _UNFINISHED_AFTER if has_rest else None
        self._send(lines, send)

    def _send(self, lines: list[str], send: Callable[[bytes], None]) -> None:
        if lines:
            send(self._encoding.encode(log_data(lines), "log"))


class _Lines:
    """Cuts one stream into lines, and shows it unchanged where it would have gone."""

    def __init__(self, shown: int) -> None:
        self._shown = shown
        self._rest = b""
        self._changed_at = 0.0

    @property
    def has_rest(self) -> bool:
        """Whether a line has begun and is not finished."""
        return bool(self._rest)

    def take_unfinished(self, now: float) -> list[str]:
        """Return an unfinished line that has not grown for a while: it may be the last."""
        if not self._rest or now - self._changed_at < _UNFINISHED_AFTER:
            return []
        rest, self._rest = self._rest, b""
        return [rest.decode(errors="replace")]

    def take(self, data: bytes) -> list[str]:
        """Return the lines that `data` completes; empty data means the end of the stream."""
        if not data:
            rest, self._rest = self._rest, b""
            return [rest.decode(errors="replace")] if rest else []
        self._changed_at = time.monotonic()
        self._show(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            whole.append(self._rest)
            self._rest = b""
        return [line.rstrip(b"\r").decode(errors="replace") for line in whole]

    def _show(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._shown, view) :]
        except OSError:
            pass  # nobody reads our output any more, but the gateway still does
