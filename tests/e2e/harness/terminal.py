"""Runs a command on a pseudo-terminal, as a person does."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.terminals import visible_lines

LIMIT = 60.0


class TerminalRun:
    """A command whose stdin, stdout and stderr are one terminal.

    A context manager; the command and its session are killed at the end.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        columns: int = 80,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        settings = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        for name in ("COLUMNS", "LINES"):
            settings.pop(name, None)
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**settings, "TERM": "xterm-256color", **(environ or {})},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        self._output = b""
        self._end = time.monotonic() + LIMIT

    def __enter__(self) -> TerminalRun:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(LIMIT)
        os.close(self._controller)

    @property
    def output(self) -> str:
        """What the command has written, with its control sequences."""
        return self._output.decode(errors="replace")

    @property
    def lines(self) -> list[str]:
        """What a person sees on a terminal that is high enough."""
        return visible_lines(self.output)

    def wait_for(self, text: str) -> None:
        """Read until a text was written."""
        while text not in self.output:
            assert self._read(), f"it ended before it wrote {text!r}: {self.lines}"

    def wait(self) -> int:
        """Read everything until the command ends; return its exit code."""
        while self._read():
            pass
        return self._process.wait(max(0.1, self._end - time.monotonic()))

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._controller], [], [], self._end - time.monotonic())
        assert ready, f"nothing more was written: {self.lines}"
        try:
            piece = os.read(self._controller, 65536)
        except OSError:  # Linux: nobody holds the other side any more
            return False
        self._output += piece
        return bool(piece)
