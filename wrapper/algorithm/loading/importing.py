"""Imports the user's file under the name that makes its own imports work."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import warnings
from contextlib import suppress
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING

from .package_path import make_findable

if TYPE_CHECKING:
    import ast

PACKAGE_NAME = "algorithm_unique_folder"
"""The name that HKube's builder gives to the code's folder; code may import by that name."""

RELATIVE_IMPORT = re.compile(rb"\bfrom[\s\\]*\.")
IMPORT_HAS_EFFECTS = ("antigravity", "this")


def put_on_path(folder: str, base: str) -> None:
    """Make the user's files importable, relative to the module's folder or ``base``.

    Files in the working directory stay importable too, as for any script.
    """
    with suppress(OSError):  # the folder may have been removed
        if os.getcwd() not in sys.path:
            sys.path.append(os.getcwd())
    for first in (base, folder):
        if first in sys.path:
            sys.path.remove(first)
        sys.path.insert(0, first)


def import_file(file: str, base: str, source: bytes) -> ModuleType:
    """Import a file of the algorithm's folder and execute it once.

    With the plain dotted name (``main``, ``src.alg.main``), pickle and multiprocessing find the
    module again. If that name is taken, or too short for the relative imports in the file, the
    module becomes part of a package made of the algorithm's folder.

    Args:
        file: absolute path of the module.
        base: absolute path of the algorithm's folder.
        source: the module's text; empty for a compiled one.
    """
    is_package = _stem(file) == "__init__"
    parts = _parts(file, base, is_package)
    if parts:
        # A user's random.py comes first on the path, but its imports may need the standard module.
        _import_from_standard_library(parts[-1])
    importlib.invalidate_caches()
    depth = len(parts) if is_package else len(parts) - 1
    if parts and relative_import_level(source) <= depth and _is_free(parts, file, base):
        return _import_plainly(".".join(parts), file)
    return _import_in_package(parts, file, base)


def relative_import_level(source: bytes) -> int:
    """Count the dots of a module's longest relative import; 0 without any."""
    tree = parsed(source) if RELATIVE_IMPORT.search(source) else None
    if tree is None:
        return 0
    import ast

    return max(
        (node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)), default=0
    )


def parsed(source: bytes) -> ast.Module | None:
    """Parse a module's source; None if it is invalid, which its import reports better."""
    import ast

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the import warns too
            return ast.parse(source)
    except Exception:  # SyntaxError, ValueError, RecursionError, MemoryError
        return None


def stands_for_folder(name: str, folder: str) -> bool:
    """Whether the package of this name was made of the folder."""
    return _same(_first_path(sys.modules.get(name)), folder)


def _stem(file: str) -> str:
    return os.path.basename(file).partition(".")[0]


def _parts(file: str, base: str, is_package: bool) -> list[str]:
    relative = os.path.relpath(file, base).split(os.sep)
    *folders, name = relative
    # Only the suffix is removed: "main.v2.py" has no plain name, which _is_free detects.
    stem = re.sub(r"(\.cpython-[^.]*|\.abi3|\.cp[^.]*)?\.[^.]+$", "", name)
    return folders if is_package else [*folders, stem]


def _import_from_standard_library(name: str) -> None:
    if name in sys.modules or name not in sys.stdlib_module_names or name in IMPORT_HAS_EFFECTS:
        return
    library = os.path.dirname(os.path.abspath(os.__file__))
    path = [library, os.path.join(library, "lib-dynload")]
    spec = (
        BuiltinImporter.find_spec(name)
        or FrozenImporter.find_spec(name)
        or PathFinder.find_spec(name, path)
    )
    if spec is None or spec.loader is None:
        return  # a slim image lacks some modules, such as "test"
    try:
        _execute(spec)
    except Exception:  # it needs a system library that is missing, so nobody can use it
        return


def _is_free(parts: list[str], file: str, base: str) -> bool:
    """Whether the plain dotted name leads to the user's file and nothing else."""
    if any("." in part for part in parts) or parts == ["__main__"]:
        return False
    top = parts[0]
    if len(parts) == 1:
        return _same(_origin(top), file)
    found = sys.modules[top] if top in sys.modules else _find_spec(top)
    if not _same(_first_path(found), os.path.join(base, top)):
        return False
    return not any(_is_hidden_by_file(folder) for folder in _folders(parts, base))


def _folders(parts: list[str], base: str) -> list[str]:
    return [os.path.join(base, *parts[:length]) for length in range(1, len(parts))]


def _is_hidden_by_file(folder: str) -> bool:
    """Whether ``alg.py`` hides ``alg/``, which it does unless the folder has an init."""
    return os.path.isfile(f"{folder}.py") and not os.path.isfile(f"{folder}/__init__.py")


def _origin(name: str) -> str | None:
    found = sys.modules.get(name)
    if found is not None:
        return getattr(found, "__file__", None)
    spec = _find_spec(name)
    return spec.origin if spec is not None else None


def _find_spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except Exception:  # a custom finder failed, or a module has no spec
        return None


def _first_path(found: object) -> str | None:
    if isinstance(found, ModuleSpec):
        locations = found.submodule_search_locations
    else:
        locations = getattr(found, "__path__", None)
    try:
        return next(iter(locations or ()), None)
    except Exception:  # some modules return an object of their own for any attribute
        return None


def _same(path: object, other: str) -> bool:
    if not isinstance(path, str):
        return False
    try:
        return path == other or os.path.samefile(path, other)
    except (OSError, ValueError):
        return False


def _import_plainly(name: str, file: str) -> ModuleType:
    spec = importlib.util.find_spec(
        name
    )  # imports the parent packages; their errors are the user's
    if spec is not None and _same(spec.origin, file):
        return importlib.import_module(name)
    return _execute_file(name, file)


def _import_in_package(parts: list[str], file: str, base: str) -> ModuleType:
    name, folder = _name_for_package(base), base
    make_findable(name, base)
    for part in parts:
        if name not in sys.modules:
            _make_package(name, folder)
        folder = os.path.join(folder, part)
        name = f"{name}.{part.replace('.', '_')}"
    if name in sys.modules and _same(_origin(name), file):
        return sys.modules[name]
    return _execute_file(name, file)


def _name_for_package(base: str) -> str:
    """Choose the name of the package that the algorithm's folder becomes.

    The folder's own name is used if it is free or already means this folder. So code that imports
    by that name gets the same modules.
    """
    own = os.path.basename(base)
    for name in (own, PACKAGE_NAME):
        loaded = sys.modules.get(name)
        if loaded is not None:
            if _same(_first_path(loaded), base):
                return name
        elif name.isidentifier() and name not in sys.stdlib_module_names:
            spec = _find_spec(name)
            if spec is None or _same(_first_path(spec), base):
                return name
    name = PACKAGE_NAME
    while name in sys.modules and not _same(_first_path(sys.modules[name]), base):
        name += "_"
    return name


def _make_package(name: str, folder: str) -> None:
    init = os.path.join(folder, "__init__.py")
    if os.path.isfile(init):
        spec = importlib.util.spec_from_file_location(
            name, init, submodule_search_locations=[folder]
        )
    else:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [folder]
    if spec is not None:
        _execute(spec)


def _execute_file(name: str, file: str) -> ModuleType:
    places = [os.path.dirname(file)] if _stem(file) == "__init__" else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=places)
    assert spec is not None, "only files with a Python suffix get here"
    return _execute(spec)


def _execute(spec: ModuleSpec) -> ModuleType:
    """Execute a module as ``import`` does once it has found it."""
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    if spec.loader is not None:  # a folder without __init__.py has nothing to execute
        try:
            spec.loader.exec_module(module)
        except BaseException:
            sys.modules.pop(spec.name, None)
            raise
    module = sys.modules.get(spec.name, module)  # the module may have replaced itself
    parent, _, child = spec.name.rpartition(".")
    if parent:
        setattr(sys.modules.get(parent), child, module)
    return module
