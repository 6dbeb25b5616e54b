"""Keeps the TensorBoard files of a local run, if the algorithm writes any."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

_VARIABLE = "ALGO_METRICS_DIR"
_MODE = "HKUBE_METRICS_FILES"
_UNUSUAL = re.compile(r"[^\w.-]")


@contextmanager
def metrics_folder(
    name: str,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    chosen: Path | None = None,
) -> Iterator[Mapping[str, str]]:
    """Give an algorithm a folder for its metrics; remove it at the end if it is empty.

    Args:
        name: the algorithm's or the pipeline's name.
        environ: the environment to start from; a folder that it names is used instead.
        say: shows where the files are.
        chosen: where the files stay, in a folder for each task; None for a new folder.

    Yields:
        The environment with the folder.
    """
    if chosen is not None:
        folder = os.path.abspath(chosen)
        environ = {**environ, _VARIABLE: folder, _MODE: "per-task"}
    elif environ.get(_VARIABLE):
        yield environ
        return
    else:
        folder = tempfile.mkdtemp(prefix=f"hkube-metrics-{_UNUSUAL.sub('-', name)}-")
        environ = {**environ, _VARIABLE: folder}
    try:
        yield environ
    finally:
        for path, _, _ in os.walk(folder, topdown=False):
            with suppress(OSError):  # it holds files
                os.rmdir(path)
        if os.path.isdir(folder):
            say(f"the algorithm wrote metrics; to see them: tensorboard --logdir {folder}")
