"""The wrapper's own log: a line on stderr for each event, with the ids of the task.

It does not use the standard library's `logging`, because importing that takes a tenth of the
wrapper's start, and because user code may configure `logging` as it likes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json", "short")

_LABELS = {"debug": "DEBUG", "info": "INFO ", "warning": "WARN ", "error": "ERROR"}
# The name in text, where the trace would fill the line, and the name in JSON.
_IDS = (
    ("job", "jobId"),
    ("task", "taskId"),
    ("node", "nodeName"),
    ("", "traceId"),
    ("", "spanId"),
)
_NO_ID = "-"
_STDERR = 2
# Around an event of several lines, for the image's process 1 (`image/process_one.py`).
_BEGIN, _END = "\x1e", "\x1f"
_AT_ONCE = 4096  # bytes; PIPE_BUF
_PATIENCE = 0.2  # seconds that a line may wait for a stderr that accepts nothing
_DROP_FOR = 5.0  # seconds in which no further line waits, after one has waited in vain


class Log:
    """Writes the log of one process.

    Each line is one `os.write`. So there is no buffer to lose in a crash, no lock to be held during
    a fork or a signal handler, and lines of several threads do not mix. Writing to a closed or full
    stderr does not raise.

    Args:
        level: the lowest level to write, one of `LEVELS`.
        form: one of `FORMATS`. ``text``: all but the first line of an event are indented.
            ``short``: the same without time and ids. ``json``: one object per line.
        fd: the file descriptor to write to.
        clock: returns seconds since 1970.
        marks_events: mark where an event of several lines begins and ends.
    """

    def __init__(
        self,
        level: str = "info",
        form: str = "text",
        fd: int = _STDERR,
        clock: Callable[[], float] = time.time,
        *,
        marks_events: bool = False,
    ) -> None:
        self._least = LEVELS.index(level)
        self._write_event = {"json": _as_json, "short": _as_short_text}.get(form, _as_text)
        self._fd = fd if _is_open(fd) else -1
        self._clock = clock
        self._marks_events = marks_events
        self._ids: tuple[str, ...] = ()
        self._read_ids: Callable[[], str] | None = None
        self._torn = False
        self._dropped = 0  # lines, since stderr was full
        self._drop_until = float("-inf")  # on the monotonic clock
        if form == "json":
            import json  # now, because later no file descriptor may be left for it

            del json

    def bind_task(self, ids: str) -> None:
        """Add a task's ids to all lines from now on.

        Args:
            ids: the ids of job, task, node, trace and span, separated by spaces; ``-`` for an
                unknown one; those at the end may be missing.
                An empty text means no task.
        """
        self._read_ids = None
        self._ids = tuple(ids.split())[: len(_IDS)]

    def bind_task_later(self, read_ids: Callable[[], str]) -> None:
        """Add ids that are expensive to find: `read_ids` is called only if a line is written."""
        self._read_ids = read_ids

    def debug(self, text: str) -> None:
        """Log a detail that helps to find an error."""
        self.log("debug", text)

    def info(self, text: str) -> None:
        """Log an event in the life of the container."""
        self.log("info", text)

    def warning(self, text: str) -> None:
        """Log something unusual that the wrapper has handled."""
        self.log("warning", text)

    def error(self, text: str) -> None:
        """Log an error."""
        self.log("error", text)

    def log(self, level: str, text: str) -> None:
        """Log an event.

        Args:
            level: one of `LEVELS`.
            text: one or more lines.
        """
        if LEVELS.index(level) >= self._least:
            if self._read_ids is not None:
                self.bind_task(self._read_ids())
            if "://" in text:
                from .text.redaction import redacted

                text = redacted(text)
            named = [
                (*names, _printable(value))
                for names, value in zip(_IDS, self._ids, strict=False)
                if value != _NO_ID
            ]
            when, text = _timestamp(self._clock()), _printable(text)
            event = self._write_event(when, level, named, text)
            if self._marks_events and "\n" in event:
                event = f"{_BEGIN}{event}{_END}"
            if self._dropped and self._fd >= 0 and _wait_writable(self._fd, 0.0):
                missing = f"{self._dropped:,} lines of this log are missing: stderr was full"
                event = f"{self._write_event(when, 'warning', [], missing)}\n{event}"
            self._write(f"{event}\n".encode(errors="backslashreplace"))

    def _write(self, line: bytes) -> None:
        if self._fd < 0:
            return
        # Waiting for each line would silence `alive`.
        patience = _PATIENCE if time.monotonic() >= self._drop_until else 0.0
        rest = memoryview(b"\n" + line if self._torn else line)
        whole = len(rest)
        try:
            # A full pipe that nobody reads must not block us. A pipe that is writable accepts
            # _AT_ONCE bytes without blocking.
            while rest and _wait_writable(self._fd, patience):
                try:
                    rest = rest[os.write(self._fd, rest[:_AT_ONCE]) :]
                except BlockingIOError:  # user code has made the shared stderr non-blocking
                    pass
        except OSError:  # closed, without a reader, or disk full: there is nowhere to report it
            pass
        if len(rest) < whole:
            self._torn = len(rest) > 0
        if rest:
            self._dropped += 1
            self._drop_until = time.monotonic() + _DROP_FOR
        else:
            self._dropped = 0


def _as_text(when: str, level: str, ids: list[tuple[str, str, str]], text: str) -> str:
    prefix = "".join(f" {name}={value}" for name, _, value in ids if name).strip()
    bracket = f" [{prefix}]" if prefix else ""
    body = text.rstrip("\n").replace("\n", "\n    ")
    return f"{when} {_LABELS[level]}{bracket} {body}"


def _as_short_text(when: str, level: str, ids: list[tuple[str, str, str]], text: str) -> str:
    body = text.rstrip("\n").replace("\n", "\n    ")
    return f"[wrapper] {level}: {body}"


def _as_json(when: str, level: str, ids: list[tuple[str, str, str]], text: str) -> str:
    import json

    record = {"time": when, "level": level, "message": text.rstrip("\n")}
    record.update({name: value for _, name, value in ids})
    return json.dumps(record)


def _printable(text: str) -> str:
    """Escape control characters, which a job's id or HKube's text could send to a terminal."""
    if text.isprintable():  # nearly always
        return text
    return "".join(
        each
        if each in "\n\t" or (each >= " " and not "\x7f" <= each <= "\x9f")
        else ascii(each)[1:-1]
        for each in text
    )


def _timestamp(now: float) -> str:
    milliseconds = int(now * 1000)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{moment}.{milliseconds % 1000:03d}Z"


def _is_open(fd: int) -> bool:
    # If stderr was closed from the start, a socket may get its number: never write to that.
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _wait_writable(fd: int, patience: float) -> bool:
    import select

    return bool(select.select([], [fd], [], patience)[1])
