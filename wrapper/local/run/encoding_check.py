"""Checks that the encoding of the messages works, before anything is started."""

from __future__ import annotations

from collections.abc import Mapping

from ...config.settings import ENCODINGS
from ...protocol.encoding.encoding import get_encoding
from ..source.source import AlgorithmSource


def check_encoding(source: AlgorithmSource, environ: Mapping[str, str]) -> None:
    """Import the encoding that an algorithm will use.

    A broken one would close each connection, and the algorithm would connect again and again.

    Args:
        source: the algorithm; its variables override those of `environ`.
        environ: the environment of its process.

    Raises:
        BrokenPackage: the encoding's library is broken; the message says how to repair it.
    """
    name = {**environ, **source.environ}.get("WORKER_ALGORITHM_ENCODING", "").strip() or "json"
    if name in ENCODINGS:  # otherwise the settings are wrong, and the process says so
        get_encoding(name)
