"""Passes a container's output on line by line, so that it does not overwrite the bar."""

from __future__ import annotations

import codecs
import os
import re
import threading
from collections.abc import Callable
from typing import final

_LINE_END = re.compile(r"(\r\n|\n|\r)")
_PIECE = 64 * 1024
_LONGEST_LINE = 1024 * 1024
"""Characters after which an unfinished line is passed on."""


class LineSplitter:
    """Cuts text that comes in pieces into lines.

    What ends with a carriage return alone is no line: it is about to be written over, as progress
    bars do.

    Attributes:
        unfinished: the text after the last line, or what was last written over.
    """

    def __init__(self) -> None:
        self.unfinished = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""

    def feed(self, piece: bytes) -> list[str]:
        """Return the lines that are now complete."""
        text = self._rest + self._decode(piece)
        # A CR at the very end may be the half of a CR LF.
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

    def end(self) -> list[str]:
        """Return the remaining text as a line."""
        rest = (self._rest + self._decode(b"", final=True)).removesuffix("\r")
        self._rest = self.unfinished = ""
        return [rest] if rest else []


@final
class OutputPump:
    """A pipe whose lines go to a function, from a thread.

    A context manager: `fd` can be written to inside; at its end all that was written has been
    passed on, unless a process that was left behind still holds the pipe.
    """

    def __init__(
        self,
        take_line: Callable[[str], None],
        take_unfinished: Callable[[str], None],
        timeout: float = 1.0,
    ) -> None:
        """Prepare a pump.

        Args:
            take_line: called with each line, without its end.
            take_unfinished: called with the text that has no end yet, each time it changes.
            timeout: seconds to wait for the last lines.
        """
        self._take_line = take_line
        self._take_unfinished = take_unfinished
        self._timeout = timeout
        self._reader, self.fd = os.pipe()
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)

    def __enter__(self) -> OutputPump:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        os.close(self.fd)
        self._thread.join(self._timeout)

    def _run(self) -> None:
        splitter = LineSplitter()
        before = ""
        while piece := os.read(self._reader, _PIECE):
            for line in splitter.feed(piece):
                self._take_line(line)
            if splitter.unfinished != before:
                before = splitter.unfinished
                self._take_unfinished(before)
        for line in splitter.end():
            self._take_line(line)
        os.close(self._reader)
