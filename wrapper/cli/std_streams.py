"""Handles standard streams that are closed or can no longer be written to."""

from __future__ import annotations

import os
import sys


def fill_closed_streams() -> None:
    """Open the null device in place of standard streams that are closed.

    Otherwise the next file or socket would get their numbers, and a child process would write
    into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            os.set_inheritable(opened, True)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - open to the end
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - open to the end


def give_up_stdout() -> None:
    """Discard what stdout still buffers; flushing it at exit would fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
