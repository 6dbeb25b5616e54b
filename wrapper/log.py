"""The wrapper's own log: one event, one line on stderr, with the ids of the task on it.

Not the standard library's `logging`: its import costs a tenth of the wrapper's start, and user
code may configure it as it likes without touching these lines.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json", "short")

_LABELS = {"debug": "DEBUG", "info": "INFO ", "warning": "WARN ", "error": "ERROR"}
_IDS = (("job", "jobId"), ("task", "taskId"), ("node", "nodeName"))  # as text, as JSON
_NO_ID = "-"
_STDERR = 2
_AT_ONCE = 4096  # bytes; PIPE_BUF
_PATIENCE = 0.2  # seconds that a stderr which takes nothing may hold us up, once a line


class Log:
    """Writes the lines of one process.

    A line is one `os.write`: there is no buffer that a crash could take with it, no lock that a
    fork or a signal handler could find taken, and lines of several threads do not mix. A stderr
    that is closed or full never raises.

    Args:
        level: the least level that is written, one of `LEVELS`.
        form: one of `FORMATS`. ``text``: lines after an event's first are indented. ``short``: the
            same without time and ids. ``json``: an object a line.
        fd: where to.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        level: str = "info",
        form: str = "text",
        fd: int = _STDERR,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._least = LEVELS.index(level)
        self._write_event = {"json": _as_json, "short": _as_short_text}.get(form, _as_text)
        self._fd = fd if _is_open(fd) else -1
        self._clock = clock
        self._ids: tuple[str, ...] = ()
        self._read_ids: Callable[[], str] | None = None
        self._torn = False

    def bind_task(self, ids: str) -> None:
        """Put a task's ids on all lines from now on.

        Args:
            ids: the ids of job, task and node, with a space between; ``-`` for one that is not
                known. An empty text: no task.
        """
        self._read_ids = None
        self._ids = tuple(ids.split())[: len(_IDS)]

    def bind_task_later(self, read_ids: Callable[[], str]) -> None:
        """The same for ids that cost something to find out: only if a line is written."""
        self._read_ids = read_ids

    def debug(self, text: str) -> None:
        """Write what helps to find a fault."""
        self.log("debug", text)

    def info(self, text: str) -> None:
        """Write what happened, in the life of the container."""
        self.log("info", text)

    def warning(self, text: str) -> None:
        """Write what was odd but has been dealt with."""
        self.log("warning", text)

    def error(self, text: str) -> None:
        """Write what went wrong."""
        self.log("error", text)

    def log(self, level: str, text: str) -> None:
        """Write an event.

        Args:
            level: one of `LEVELS`.
            text: of one line or more.
        """
        if LEVELS.index(level) >= self._least:
            if self._read_ids is not None:
                self.bind_task(self._read_ids())
            named = [
                (*names, value)
                for names, value in zip(_IDS, self._ids, strict=False)
                if value != _NO_ID
            ]
            event = self._write_event(_timestamp(self._clock()), level, named, text)
            self._write(f"{event}\n".encode(errors="backslashreplace"))

    def _write(self, line: bytes) -> None:
        if self._fd < 0:
            return
        rest = memoryview(b"\n" + line if self._torn else line)
        whole = len(rest)
        try:
            # A pipe that is full, because nobody reads it, must not hold up who writes here. One
            # that has room takes so much at once.
            while rest and _wait_writable(self._fd):
                try:
                    rest = rest[os.write(self._fd, rest[:_AT_ONCE]) :]
                except BlockingIOError:  # user code has made the shared stderr non-blocking
                    pass
        except OSError:  # closed, nobody reads it, the disk is full: there is no place to say so
            pass
        if len(rest) < whole:
            self._torn = len(rest) > 0


def _as_text(when: str, level: str, ids: list[tuple[str, str, str]], text: str) -> str:
    prefix = "".join(f" {name}={value}" for name, _, value in ids).strip()
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


def _timestamp(now: float) -> str:
    milliseconds = int(now * 1000)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{moment}.{milliseconds % 1000:03d}Z"


def _is_open(fd: int) -> bool:
    # A stderr closed from the start must not become the first socket that takes its number.
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _wait_writable(fd: int) -> bool:
    import select

    return bool(select.select([], [fd], [], _PATIENCE)[1])
