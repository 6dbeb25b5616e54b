"""Standard streams that whoever started the command has closed, or that take nothing more."""

from __future__ import annotations

import os
import sys


def fill_closed_streams() -> None:
    """Give stdout and stderr, where they are closed, a place that keeps nothing.

    Otherwise the next file or socket would get their numbers, and a process that is started
    would write into it.
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
    """Throw away what stdout still holds: it would fail again when the process ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
