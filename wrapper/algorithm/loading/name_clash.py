"""Rejects a user's ``wrapper.py`` beside the algorithm, which this package's name would hide."""

from __future__ import annotations

import os

from ...errors import LoadError
from ..errors.user_frames import WRAPPER_FOLDER

ROOT = __name__.partition(".")[0]
"""The name this package is loaded under; another than "wrapper" if `boot` avoided a clash."""


def check_own_wrapper(file: str, base: str) -> None:
    """Reject an algorithm whose ``import wrapper`` would silently import this package.

    Raises:
        LoadError: there is such a file; the text names it.
    """
    for folder in dict.fromkeys([os.path.dirname(file), base]):
        for name in (f"{ROOT}.py", f"{ROOT}/__init__.py"):
            path = os.path.join(folder, name)
            # The entry point itself is loaded under another name, and nothing imports it.
            if path == file or not os.path.isfile(path) or _is_this_package(path):
                continue
            shown = os.path.relpath(path, base)
            raise LoadError(
                f"{shown} has the same name as HKube's package '{ROOT}' and cannot be imported"
                " beside it: rename it"
            )


def _is_this_package(path: str) -> bool:
    return os.path.realpath(os.path.dirname(path)) == os.path.realpath(WRAPPER_FOLDER)
