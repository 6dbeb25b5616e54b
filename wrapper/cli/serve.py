"""`hkube-wrapper serve`: serves HKube's worker, as the container does."""

from __future__ import annotations

import os

import typer


def serve() -> None:
    """Serve HKube's worker with the algorithm, as the container does.

    The settings are environment variables. `python -m wrapper` does the same.
    """
    from ..supervisor.serve import serve as serve_worker

    raise typer.Exit(serve_worker(os.environ))
