"""Explains imports of the user's modules that form a circle."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from types import ModuleType

from .user_frames import Owner, UserFrame

_NAME = re.compile(r"^cannot import name '(?P<name>[^']+)'")


def import_circle(error: BaseException, frames: Sequence[UserFrame]) -> str | None:
    """Return a sentence with the circle, such as ``a.py:1 → b.py:2 → a.py``.

    Args:
        error: what the import raised.
        frames: of its traceback, outermost first.

    Returns:
        None if the error has another cause, or the circle is not the user's.
    """
    file, problem = _unfinished(error)
    if not file:
        return None
    users = [frame for frame in frames if frame.owner is not Owner.LIBRARY]
    # The module that lacks the name is in the traceback only if its own code still runs.
    starts = [place for place, frame in enumerate(users) if _runs(frame, file)]
    if not starts:
        return None
    circle = users[starts[0] :]
    drawn = " → ".join([*(frame.spot for frame in circle), circle[0].shown])
    return (
        f"{problem}: the imports form a circle, {drawn}. Move what both files need to a third one, "
        "or import it in the function that uses it"
    )


def _unfinished(error: BaseException) -> tuple[str, str]:
    """Return the file of the module that lacks a name, and what is the matter, in words."""
    if isinstance(error, ImportError):
        found = _NAME.match(str(error))
        if found is not None and error.path:
            return error.path, f"cannot import name '{found['name']}' from '{error.name}'"
    elif isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        module = error.obj.__dict__
        file, name = str(module.get("__file__") or ""), module.get("__name__")
        return file, f"module '{name}' has no '{error.name}' yet"
    return "", ""


def _runs(frame: UserFrame, file: str) -> bool:
    return frame.function == "<module>" and os.path.abspath(frame.path) == os.path.abspath(file)
