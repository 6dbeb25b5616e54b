"""A user's own ``wrapper.py`` beside the algorithm, which this package's name would hide."""

from __future__ import annotations

import os

from ...errors import LoadError
from ..errors.user_frames import WRAPPER_FOLDER

ROOT = __name__.partition(".")[0]
"""The name this package is loaded under; not "wrapper" where the starter has made way."""


def check_own_wrapper(file: str, base: str) -> None:
    """Refuse an algorithm whose ``import wrapper`` would silently be answered with this package.

    Raises:
        LoadError: the text names the user's file.
    """
    for folder in dict.fromkeys([os.path.dirname(file), base]):
        for name in (f"{ROOT}.py", f"{ROOT}/__init__.py"):
            path = os.path.join(folder, name)
            # The entry point itself is loaded under another name, and nothing imports it.
            if path == file or not os.path.isfile(path) or _is_this_package(path):
                continue
            shown = os.path.relpath(path, base)
            raise LoadError(
                f"{shown} has the name of a package of HKube's, '{ROOT}', and cannot be imported"
                " beside it: rename it"
            )


def _is_this_package(path: str) -> bool:
    return os.path.realpath(os.path.dirname(path)) == os.path.realpath(WRAPPER_FOLDER)
