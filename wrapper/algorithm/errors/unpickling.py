"""Explains why an object that a script or notebook has pickled cannot be loaded."""

from __future__ import annotations

import re

# CPython's unpickler; what follows names our own file, or nothing that helps.
_OF_MAIN = re.compile(
    r"^Can't get attribute '(?P<name>[^']+)' on <module '([\w.]+\.)?__main__'[^\n]*>$"
)


def explained(text: str) -> str:
    """Return the text of an AttributeError; if it is the unpickler's, one that says what to do."""
    found = _OF_MAIN.match(text)
    if found is None:
        return text
    name = found["name"].partition(".")[0]
    return (
        f"Can't get attribute '{found['name']}' on <module '__main__'>: the object was pickled by "
        f"a script or notebook that defines {name} itself, so the pickle looks for it in the main "
        f"program. Move {name} to a module of its own, import it from there where the object is "
        f"made, and pickle the object again"
    )
