"""`hkube-wrapper health`: is the wrapper of this container well?"""

from __future__ import annotations

import os

import typer

from ..supervisor.health import print_health


def health() -> None:
    """Tell whether the wrapper that serves in this container is well, as probes ask.

    Exit codes: 0 healthy; 1 not, and the line says why.
    """
    raise typer.Exit(print_health(os.environ))
