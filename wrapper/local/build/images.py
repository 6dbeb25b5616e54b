"""Asks an engine about the images on this machine."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from ... import __version__
from .dockerfile import VERSION_LABEL
from .engine import BuildEngine

_TIMEOUT = 20.0  # seconds


def has_image(engine: BuildEngine, name: str) -> bool:
    """Whether an image is on this machine."""
    return _inspect(engine, name) is not None


def version_remark(engine: BuildEngine, name: str) -> str:
    """Compare the wrapper in an image with this command line; empty if the versions are equal."""
    labels = _labels(_inspect(engine, name))
    version = labels.get(VERSION_LABEL, __version__)
    if version == __version__:
        return ""
    return (
        f"the image contains the wrapper {version}, and this command line is {__version__}: what "
        "you try here may behave differently there"
    )


def _inspect(engine: BuildEngine, name: str) -> Any:
    """Return what the engine knows about an image; None if the image is not here."""
    is_buildah = engine.name == "buildah"
    command = ["inspect", "--type", "image"] if is_buildah else ["image", "inspect"]
    try:
        done = subprocess.run(
            [engine.path, *command, name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
        return json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _labels(found: Any) -> dict[str, str]:
    try:
        if isinstance(found, list):  # docker, podman
            return dict(found[0]["Config"]["Labels"] or {})
        return dict(found["OCIv1"]["config"]["Labels"] or {})  # buildah
    except (LookupError, TypeError, ValueError):
        return {}
