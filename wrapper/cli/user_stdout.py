"""The stdout of user code in the command's own process."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO, final

from ..local.run.container import STDERR

STDOUT = 1


@final
class UserStdout(io.TextIOWrapper):
    """Text that goes to stderr, line by line; `finish_line` ends a line without an end."""

    _in_line = False

    def write(self, text: str) -> int:
        """Write text; a complete line at once."""
        if text:
            self._in_line = not text.endswith("\n")
        return super().write(text)

    def finish_line(self) -> None:
        """Show what waits for the end of its line, so that nothing is glued to it."""
        with suppress(ValueError, OSError):  # user code has closed it; nobody reads it
            if self._in_line:
                self.write("\n")
            self.flush()


@contextmanager
def stdout_for_results() -> Iterator[tuple[TextIO, UserStdout]]:
    """Reserve stdout for results, and send what user code prints to stderr.

    Yields:
        The stream for results, and `sys.stdout` as user code finds it.
    """
    before = sys.stdout
    before.flush()
    results = os.fdopen(os.dup(STDOUT), "w", encoding=before.encoding)
    os.dup2(STDERR, STDOUT)
    # A stream of our own also if Python's is unbuffered: with PYTHONUNBUFFERED, other lines could
    # get between the words of one print.
    binary = os.fdopen(STDOUT, "wb", closefd=False)
    users = UserStdout(binary, encoding=before.encoding, errors=before.errors, line_buffering=True)
    sys.stdout = users
    yield results, users
    users.finish_line()
    sys.stdout = before
    for stream in (results, users):
        with suppress(ValueError, OSError):  # nobody reads it any more
            stream.close()
