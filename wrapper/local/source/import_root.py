"""Finds the folder that the imports of a user's file start from."""

from __future__ import annotations

from pathlib import Path

from ...algorithm.loading.own_folder import is_installed_elsewhere, own_folder
from .imported_modules import MAX_FILES, ImportStatement, own_files, statements


def import_root(file: Path, top: Path) -> Path:
    """Find the folder that has to be the algorithm's, so that a file's imports work.

    It is the file's own folder, unless the code imports by the name of a folder around it:
    ``from src.utils import x`` in ``src/main.py`` needs the folder above ``src``, and so does
    ``from ..common import x`` in ``src/alg/main.py``.

    Args:
        file: absolute path of the module.
        top: absolute path of the highest folder to consider.
    """
    root = file.parent
    if top not in root.parents:
        return root
    waiting, seen = [file], {file}
    while waiting and len(seen) < MAX_FILES:
        importing = waiting.pop(0)
        for statement in statements(importing):
            needed = _needed(statement, importing)
            if needed is not None and needed in root.parents and needed.is_relative_to(top):
                root = needed
            found = own_files(statement, importing, [file.parent, root]) or []
            waiting += [each for each in found if each not in seen]
            seen.update(found)
    return root


def _needed(statement: ImportStatement, file: Path) -> Path | None:
    """Return the folder that a statement's import starts from; None: not one of those around."""
    if statement.level:
        # `from .x` needs only the file's own folder, which becomes a package when it is loaded.
        return file.parents[min(statement.level, len(file.parents)) - 1]
    folder = own_folder(statement.modules(), str(file))
    if folder is None or is_installed_elsewhere(folder):
        return None
    return Path(folder).parent
