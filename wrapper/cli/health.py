"""`hkube-wrapper health`: check the wrapper in this container."""

from __future__ import annotations

import os

import typer

from ..supervisor.health import print_health


def health() -> None:
    """Report whether the wrapper in this container is healthy, for use in a probe.

    Exit codes: 0 healthy; 1 unhealthy, and the output says why.
    """
    raise typer.Exit(print_health(os.environ))
