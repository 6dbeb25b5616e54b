"""Keeps the TensorBoard files of a local run, if the algorithm writes any."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

_VARIABLE = "ALGO_METRICS_DIR"
_UNUSUAL = re.compile(r"[^\w.-]")


@contextmanager
def metrics_folder(
    name: str, environ: Mapping[str, str], say: Callable[[str], None]
) -> Iterator[Mapping[str, str]]:
    """Give an algorithm a new folder for its metrics; remove it at the end if it is empty.

    Args:
        name: the algorithm's or the pipeline's name.
        environ: the environment to start from; a folder that it names is used instead.
        say: shows where the files are.

    Yields:
        The environment with the folder.
    """
    if environ.get(_VARIABLE):
        yield environ
        return
    folder = tempfile.mkdtemp(prefix=f"hkube-metrics-{_UNUSUAL.sub('-', name)}-")
    try:
        yield {**environ, _VARIABLE: folder}
    finally:
        for path, _, _ in os.walk(folder, topdown=False):
            with suppress(OSError):  # it holds files
                os.rmdir(path)
        if os.path.isdir(folder):
            say(f"the algorithm wrote metrics; to see them: tensorboard --logdir {folder}")
