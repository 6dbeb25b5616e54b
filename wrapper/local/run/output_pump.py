"""Passes a container's output on as whole lines."""

from __future__ import annotations

import array
import codecs
import fcntl
import os
import re
import select
import termios
import threading
import time
from collections.abc import Callable
from typing import final

_LINE_END = re.compile(r"(\r\n|\n|\r)")
_PIECE = 64 * 1024
_LONGEST_LINE = 1024 * 1024
"""Characters after which an unfinished line is passed on."""

_GATHER = 0.005
"""Seconds between two reads: output that arrives meanwhile is passed on together."""
_UNFINISHED_AFTER = 0.5
"""Seconds after which an unfinished line that does not grow is passed on."""
_LONGEST_HOLD = 0.25
"""Seconds that lines are held back at most."""


class LineSplitter:
    """Cuts text that comes in pieces into lines.

    Text that ends with a carriage return alone is not a line: it is about to be overwritten, as
    progress bars do.

    Attributes:
        unfinished: the text after the last line, or the text that is about to be overwritten.

    Args:
        errors: what happens to bytes that are not UTF-8, as for `bytes.decode`.
    """

    def __init__(self, errors: str = "replace") -> None:
        self.unfinished = ""
        self._decode = codecs.getincrementaldecoder("utf-8")(errors).decode
        self._rest = ""

    def feed(self, piece: bytes) -> list[str]:
        """Return the lines that are now complete."""
        text = self._rest + self._decode(piece)
        # A CR at the very end may be half of a CR LF.
        held = "\r" if text.endswith("\r") else ""
        *pairs, rest = _LINE_END.split(text[: len(text) - len(held)])
        texts, ends = pairs[::2], pairs[1::2]
        lines = [line for line, end in zip(texts, ends, strict=True) if end != "\r"]
        if len(rest) > _LONGEST_LINE:
            lines.append(rest)
            rest = ""
        self._rest = rest + held
        if rest or not ends:
            self.unfinished = rest
        else:
            self.unfinished = texts[-1] if ends[-1] == "\r" else ""
        return lines

    def end_line(self) -> list[str]:
        """Return the unfinished text as a line; the text after it begins a new line."""
        rest = self._rest.removesuffix("\r")
        self._rest = self.unfinished = ""
        return [rest] if rest else []

    def end(self) -> list[str]:
        """Return the remaining text as a line."""
        self._rest += self._decode(b"", final=True)
        return self.end_line()


@final
class OutputPipe:
    """A pipe for a process that starts before there is a pump for its output.

    A context manager: it closes the pipe unless a pump has taken it.

    Attributes:
        fd: for the process.
    """

    def __init__(self) -> None:
        self._reader, self.fd = os.pipe()
        self._is_taken = False

    def __enter__(self) -> OutputPipe:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if not self._is_taken:
            for fd in self.take():
                os.close(fd)

    def take(self) -> tuple[int, int]:
        """Return both ends, which belong to the caller from now on."""
        self._is_taken = True
        return self._reader, self.fd


@final
class OutputPump:
    """A pipe whose lines go to a function, from a thread.

    A context manager: write to `fd` inside. At the end, everything that was written has been passed
    on, unless a process that was left behind still holds the pipe.
    """

    def __init__(
        self,
        take_lines: Callable[[list[str]], None],
        take_unfinished: Callable[[str], None] | None = None,
        *,
        errors: str = "replace",
        timeout: float = 1.0,
        pipe: OutputPipe | None = None,
    ) -> None:
        """Prepare a pump.

        Args:
            take_lines: called with lines, without their ends.
            take_unfinished: called with the text of an unfinished line, each time it changes. None:
                the text is passed on as a line once it does not grow for half a second.
            errors: what happens to bytes that are not UTF-8, as for `bytes.decode`.
            timeout: seconds to wait for the last lines.
            pipe: where the lines come from; the pump closes it. None: a new one.
        """
        self._take_lines = take_lines
        self._take_unfinished = take_unfinished
        self._timeout = timeout
        self._splitter = LineSplitter(errors)
        self._shown = ""
        self._grew_at = 0.0
        self._held: list[str] | None = None
        self._held_until = 0.0
        self._is_at_end = False
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._reader, self.fd = (pipe or OutputPipe()).take()
        os.set_blocking(self._reader, False)  # `drain` may have read what the thread waited for
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)

    def __enter__(self) -> OutputPump:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._closing.set()
        os.close(self.fd)
        self._thread.join(self._timeout)

    def drain(self, end_line: bool = True) -> None:
        """Pass on everything that was written before this call.

        Args:
            end_line: pass on an unfinished line too.
        """
        with self._lock:
            if not self._is_at_end:
                self._read(_available(self._reader))
            self._release()
            if end_line:
                self._pass_on(self._splitter.end_line())
                self._show_unfinished()

    def hold(self) -> None:
        """Hold lines back until `release`, or for a quarter of a second."""
        with self._lock:
            self._held = []
            self._held_until = time.monotonic() + _LONGEST_HOLD

    def release(self) -> None:
        """Pass on the lines that were held back."""
        with self._lock:
            self._release()
            self._show_unfinished()

    def _run(self) -> None:
        poller = select.poll()
        poller.register(self._reader, select.POLLIN)
        while not self._is_at_end:
            is_ready = poller.poll(self._milliseconds())
            with self._lock:
                if is_ready:
                    self._read(_PIECE)
                self._pass_on_late()
                self._show_unfinished()
            self._closing.wait(_GATHER)
        os.close(self._reader)

    def _read(self, size: int) -> None:
        while size > 0 and not self._is_at_end:
            try:
                piece = os.read(self._reader, min(size, _PIECE))
            except BlockingIOError:
                return
            size -= len(piece)
            self._is_at_end = not piece
            self._grew_at = time.monotonic()
            self._pass_on(self._splitter.feed(piece) if piece else self._splitter.end())
        if self._is_at_end:
            self._release()

    def _milliseconds(self) -> float | None:
        """Return how long the thread may wait for output; None: there is nothing else to do."""
        due = []
        if self._held is not None:
            due.append(self._held_until)
        if self._take_unfinished is None and self._splitter.unfinished:
            due.append(self._grew_at + _UNFINISHED_AFTER)
        return max(0.0, min(due) - time.monotonic()) * 1000 + 1 if due else None

    def _pass_on_late(self) -> None:
        """Pass on what has waited long enough."""
        now = time.monotonic()
        if self._held is not None and now >= self._held_until:
            self._release()
        if self._take_unfinished is None and now >= self._grew_at + _UNFINISHED_AFTER:
            self._pass_on(self._splitter.end_line())

    def _pass_on(self, lines: list[str]) -> None:
        if self._held is not None:
            self._held += lines
        elif lines:
            self._take_lines(lines)

    def _release(self) -> None:
        lines, self._held = self._held, None
        self._pass_on(lines or [])

    def _show_unfinished(self) -> None:
        text = self._splitter.unfinished
        if self._take_unfinished is not None and self._held is None and text != self._shown:
            self._shown = text
            self._take_unfinished(text)


def _available(fd: int) -> int:
    """Return how many bytes can be read from a pipe."""
    found = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, found)
    return found[0]
