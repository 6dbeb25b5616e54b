"""Captures the lines that an algorithm prints or logs in the test's process."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any


class CapturedLines:
    """Collects lines that arrive in pieces, from several streams and threads."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._rest: dict[str, str] = {}
        self._lock = Lock()

    def add(self, stream: str, text: str) -> None:
        """Add text that was written to a stream."""
        with self._lock:
            *lines, self._rest[stream] = (self._rest.get(stream, "") + text).split("\n")
            self._lines += lines

    def all_lines(self) -> list[str]:
        """Return all lines, including any without a line break yet."""
        with self._lock:
            rests = [rest for rest in self._rest.values() if rest]
            return self._lines + rests


class _Tee:
    """Writes to a stream and captures its lines."""

    def __init__(self, stream: Any, name: str, lines: CapturedLines) -> None:
        self._stream = stream
        self._name = name
        self.lines: CapturedLines | None = lines

    def write(self, text: str) -> int:
        count: int = self._stream.write(text)
        if self.lines is not None:
            self.lines.add(self._name, text)
        return count

    def writelines(self, texts: Any) -> None:
        for text in texts:
            self.write(text)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _LogRecords(logging.Handler):
    """Captures log records, unless they go to a stream that is captured anyway."""

    def __init__(self, lines: CapturedLines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None:
            if any(isinstance(getattr(each, "stream", None), _Tee) for each in logger.handlers):
                return
            logger = logger.parent if logger.propagate else None
        self._lines.add("log", f"{self.format(record)}\n")


@contextmanager
def captured_output() -> Iterator[CapturedLines]:
    """Capture printed and logged lines; they still appear where they usually do."""
    lines = CapturedLines()
    tees = {name: _Tee(getattr(sys, name), name, lines) for name in ("stdout", "stderr")}
    before = {name: getattr(sys, name) for name in tees}
    handler = _LogRecords(lines)
    for name, tee in tees.items():
        setattr(sys, name, tee)
    logging.getLogger().addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger().removeHandler(handler)
        for name, tee in tees.items():
            tee.lines = None  # code that kept a reference can still write
            if getattr(sys, name) is tee:  # a debugger may have restored its own
                setattr(sys, name, before[name])
