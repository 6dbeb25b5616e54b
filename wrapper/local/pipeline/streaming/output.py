"""Reads what leaves a streaming pipeline, from the node that collects it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

_END = "end of output"


@final
class OutputReader:
    """A named pipe whose lines go to a function, from a thread.

    A context manager: at its end, everything that was written has been passed on.

    Args:
        path: where the pipe is made.
        on_message: called with the node that sent a message, and the message.
    """

    def __init__(self, path: Path, on_message: Callable[[str, Any], object]) -> None:
        self.path = path
        self._on_message = on_message
        self._fd = -1
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)

    def __enter__(self) -> OutputReader:
        os.mkfifo(self.path, 0o600)
        # Open for both, so that it does not end while no process writes.
        self._fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        os.write(self._fd, f"\n{json.dumps(_END)}\n".encode())
        self._thread.join()

    def _run(self) -> None:
        with open(self._fd, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    value = json.loads(line)
                except ValueError:  # cut off, because its writer was killed
                    continue
                if value == _END:
                    return
                self._on_message(value["node"], value["message"])
