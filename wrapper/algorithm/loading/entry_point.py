"""Finds the user's file from ALGORITHM_ENTRY_POINT, in any of its forms."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import NamedTuple

from ...errors import LoadError
from ...text.suggestions import near_miss
from ..errors.user_frames import is_inside

MAX_LISTED = 8
MAX_SEARCHED = 2000
SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "env"})


class EntryPoint(NamedTuple):
    """The module that holds the algorithm.

    Attributes:
        base: the algorithm's folder.
        target: ``main.py``, ``main``, ``src/alg/main.py``, ``src.alg.main``, or a package's folder.
    """

    base: Path
    target: str


def find_file(entry: EntryPoint) -> str:
    """Find the file that an entry point names.

    Returns:
        Its absolute path. Links in it are kept, because a mounted file may be a link to elsewhere.

    Raises:
        LoadError: there is no such file. The text lists the files that exist.
    """
    base = os.path.abspath(entry.base)
    _check_folder(base)
    target = _relative_target(entry.target, base)
    for candidate in _candidates(target):
        path = os.path.normpath(os.path.join(base, candidate))
        if os.path.isfile(path):
            return path
    raise LoadError(_why_not_found(target, base))


def read_source(file: str, base: str) -> bytes:
    """Read the user's file, and report errors for which Python has a poor message or none.

    Raises:
        LoadError: the file cannot be read, or is not text that Python accepts.
    """
    name = os.path.relpath(file, base)
    try:
        with open(file, "rb") as opened:
            source = opened.read()
    except OSError as error:
        raise LoadError(f"{name} in {base} cannot be read: {error.strerror}") from None
    if not file.endswith(".py"):
        return b""  # compiled
    if source.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise LoadError(f"{name} is saved as UTF-16: save it as UTF-8")
    if b"\0" in source:
        line = source[: source.index(b"\0")].count(b"\n") + 1
        raise LoadError(f"{name}:{line} holds a null byte: this is not a Python source file")
    return source


def python_files(folder: str) -> Iterator[str]:
    """Yield the paths of Python files below a folder, relative to it, the nearest first."""
    searched = 0
    levels = [folder]
    while levels:
        following: list[str] = []
        for directory in levels:
            for item in _listed(directory):
                searched += 1
                if searched > MAX_SEARCHED:
                    return
                if item.name.endswith(".py") and _is(item.is_file):
                    yield os.path.relpath(item.path, folder).replace(os.sep, "/")
                elif not _is_skipped(item.name) and _is(item.is_dir):
                    following.append(item.path)
        levels = following


def _check_folder(base: str) -> None:
    if not os.path.exists(base):
        raise LoadError(f"the algorithm's folder {base} does not exist (set ALGORITHM_PATH)")
    if not os.path.isdir(base):
        raise LoadError(f"the algorithm's folder {base} is a file (set ALGORITHM_PATH)")


def _relative_target(target: str, base: str) -> str:
    """Rewrite a target as a path relative to `base`, with slashes."""
    written = target.strip()
    if not written:
        raise LoadError("the entry point is empty (set ALGORITHM_ENTRY_POINT, for example main.py)")
    if "\0" in written:
        raise LoadError("the entry point holds a null byte (set ALGORITHM_ENTRY_POINT)")
    path = os.path.normpath(os.path.join(base, written.replace("\\", "/")))
    if is_inside(path, base):
        return os.path.relpath(path, base).replace(os.sep, "/")
    real, real_base = os.path.realpath(path), os.path.realpath(base)
    if os.path.isabs(written) and is_inside(real, real_base):
        return os.path.relpath(real, real_base).replace(os.sep, "/")
    raise LoadError(
        f"the entry point {written} is outside the algorithm's folder {base}"
        " (set ALGORITHM_ENTRY_POINT to a file in it, or ALGORITHM_PATH to another folder)"
    )


def _candidates(target: str) -> Iterator[str]:
    """Yield the files that a target can mean, the likeliest first."""
    # The published wrapper read slashes as dots and removed ".py"; these candidates follow it.
    stem = target.removesuffix(".py")
    if target.endswith(tuple(all_suffixes())):
        yield target
    for path in (stem, _undotted(stem)):
        for suffix in all_suffixes():
            yield path + suffix
        for suffix in all_suffixes():
            yield f"{path}/__init__{suffix}"


def _why_not_found(target: str, base: str) -> str:
    path = os.path.join(base, target)
    stem = target.removesuffix(".py")
    if os.path.islink(path) and not os.path.exists(path):
        return f"{target} in {base} is a link to {os.readlink(path)}, which does not exist"
    for folder in (target, stem, _undotted(stem)):
        if os.path.isdir(os.path.join(base, folder)):
            return _is_a_folder(folder, base)
    if os.path.exists(path):
        wrong = "not a Python file" if os.path.isfile(path) else "not a regular file"
        problem = f"{target} in {base} is {wrong}; {_found(base)}"
    else:
        named = target if target.endswith(".py") else f"{_undotted(target)}.py"
        problem = f"no file {named} in {base}; {_found(base)}"
    return f"{problem}{_suggestion(stem, base)} (set ALGORITHM_ENTRY_POINT)"


def _is_a_folder(target: str, base: str) -> str:
    if target == ".":
        problem = f"the entry point is the algorithm's folder {base}, which has no __init__.py"
        return f"{problem}; {_found(base)} (set ALGORITHM_ENTRY_POINT)"
    inside = [f"{target}/{name}" for name in python_files(os.path.join(base, target))]
    hint = f" to the file in it, for example {_main_first(inside)[0]}" if inside else ""
    problem = f"{target} in {base} is a folder without __init__.py, not a file"
    return f"{problem} (set ALGORITHM_ENTRY_POINT{hint})"


def _found(base: str) -> str:
    names = _main_first(list(python_files(base)))
    if names:
        more = f", and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
        return f"found: {', '.join(names[:MAX_LISTED])}{more}"
    others = sorted(item.name for item in _listed(base))
    if not others:
        return "the folder is empty"
    return f"found no Python file, only: {', '.join(others[:MAX_LISTED])}"


def _suggestion(stem: str, base: str) -> str:
    names = list(python_files(base))
    path = _undotted(stem)
    last = path.rpartition("/")[2].lower()
    elsewhere = [name for name in names if _last_stem(name).lower() == last]
    guess = elsewhere[0] if elsewhere else near_miss(f"{path}.py", names)
    if guess is None and len(names) == 1:
        guess = names[0]
    return f"; did you mean '{guess}'?" if guess else ""


def _main_first(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: (name.count("/"), _last_stem(name) != "main", name))


def _undotted(stem: str) -> str:
    return stem.replace(".", "/").strip("/") or "."


def _last_stem(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".py")


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as items:
            return sorted(items, key=lambda item: item.name)
    except OSError:
        return []


def _is(asked: Callable[[], bool]) -> bool:
    try:
        return asked()
    except OSError:
        return False


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name in SKIPPED_FOLDERS
