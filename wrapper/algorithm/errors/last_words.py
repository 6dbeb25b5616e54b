"""Reports a failure of the wrapper's own code, whatever user code has broken."""

from __future__ import annotations

import os
from types import TracebackType
from typing import NoReturn

from ...errors import BrokenPackage
from ...ipc.frames import BROKEN_PACKAGE, OWN_FAILURE

EXIT_SOFTWARE = 70
_MOST_FRAMES = 50


class LastWords:
    """Writes the cause of our own failure to the file for faulthandler's stacks, and ends.

    The supervisor reads that file after each crash. It is open from the start, so that this works
    without a free file descriptor; and nothing is imported here.

    Args:
        fd: the file's descriptor.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._identity = _identity(fd)

    def leave(self, error: BaseException) -> NoReturn:
        """End the process because of `error`."""
        try:
            # User code may have closed the file, and the number may stand for one of its own.
            if self._identity is not None and _identity(self._fd) == self._identity:
                os.write(self._fd, _report(error).encode(errors="backslashreplace"))
        finally:
            os._exit(EXIT_SOFTWARE)


def _identity(fd: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _report(error: BaseException) -> str:
    if isinstance(error, BrokenPackage):
        return f"{BROKEN_PACKAGE}{error}\n"
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:  # the user's __str__ can raise anything
        text = type(error).__name__
    return f"{OWN_FAILURE}{text}\n" + "\n".join(_frames(error.__traceback__))


def _frames(traceback: TracebackType | None) -> list[str]:
    """Return the innermost frames, innermost last; `traceback` would have to be imported."""
    lines: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        lines.append(f'  File "{code.co_filename}", line {traceback.tb_lineno}, in {code.co_name}')
        traceback = traceback.tb_next
    return lines[-_MOST_FRAMES:]
