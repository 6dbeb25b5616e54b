"""Recognizes imports that name a folder of the user's which is not on Python's path.

In ``src/main.py``, ``from src.utils import x`` works only if the folder above ``src`` is on it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec

from .distributions import is_certain


def own_folder(modules: Iterable[str], file: str) -> str | None:
    """Find the folder around a file that an import in it names.

    Args:
        modules: the dotted names that the import may load, such as ``src`` and ``src.utils``.
        file: absolute path of the user's file.

    Returns:
        The absolute path of the nearest such folder; None if the name means something else.
    """
    names = [name.split(".") for name in modules]
    for folder in _folders_around(file):
        tops = [rest for top, *rest in names if top == os.path.basename(folder)]
        if any(resolved(folder, rest) or _has_init(folder) for rest in tops):
            return folder
    return None


def module_without_folder(modules: Iterable[str], folders: Iterable[str]) -> str | None:
    """Find a module that an import names as if it were in a folder, such as ``src.utils``.

    This happens when the contents of ``src`` were packaged instead of ``src`` itself.

    Args:
        modules: the dotted names that the import may load.
        folders: the folders that are searched for top-level imports.

    Returns:
        The name by which the module can be imported, such as ``utils``; None if there is none, or
        the first part of the name is a package's.
    """
    places = list(folders)
    for top, *rest in (name.split(".") for name in modules):
        if not rest or is_certain(top, {}) or top in sys.stdlib_module_names or _spec(top):
            continue
        for folder in places:
            found = resolved(folder, rest)
            if found:
                return ".".join(found)
    return None


def is_installed_elsewhere(folder: str) -> bool:
    """Whether Python finds another package of a folder's name, which an import would get."""
    spec = _spec(os.path.basename(folder))
    if spec is None:
        return False
    return folder not in [os.path.abspath(place) for place in spec.submodule_search_locations or ()]


def resolved(folder: str, parts: list[str]) -> list[str]:
    """Return the leading parts of a dotted name that lead to files or folders in a folder."""
    found: list[str] = []
    for part in parts:
        path = os.path.join(folder, *found, part)
        if not (os.path.isfile(f"{path}.py") or os.path.isdir(path)):
            break
        found.append(part)
    return found


def _spec(top: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except Exception:  # a custom finder failed, or a loaded module has no spec
        return None


def _has_init(folder: str) -> bool:
    """Whether a folder can be imported by itself; a well-known package of its name is meant."""
    if is_certain(os.path.basename(folder), {}):
        return False
    return os.path.isfile(os.path.join(folder, "__init__.py"))


def _folders_around(file: str) -> Iterator[str]:
    folder = os.path.dirname(file)
    while folder != os.path.dirname(folder):
        yield folder
        folder = os.path.dirname(folder)
