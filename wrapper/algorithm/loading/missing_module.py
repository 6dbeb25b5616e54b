"""Explains a failed import: guesses the user's file that was meant, or the missing package."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from types import ModuleType

from ...text.suggestions import did_you_mean, near_miss
from ..errors.excerpt import one_line
from ..errors.user_frames import Owner, UserFrame, cause, is_inside
from .distributions import (
    Installed,
    guess_distribution,
    installed_distributions,
    is_certain,
    is_listed,
    known_names,
    version_of,
)
from .entry_point import python_files
from .importing import PACKAGE_NAME, stands_for_folder
from .own_folder import module_without_folder, own_folder, resolved


@dataclass(frozen=True)
class Importer:
    """The user's module, whose import failed.

    Attributes:
        file: absolute path of the module.
        base: absolute path of the algorithm's folder.
    """

    file: str
    base: str

    @property
    def folders(self) -> list[str]:
        """The folders that are searched for its top-level imports, in order."""
        return list(dict.fromkeys([os.path.dirname(self.file), self.base]))


def missing_module(error: ModuleNotFoundError, frames: list[UserFrame], importer: Importer) -> str:
    """Say which import failed, where it is, and what to write or install instead."""
    blamed = cause(frames)
    place = blamed.spot if blamed else os.path.relpath(importer.file, importer.base)
    name = _without_package(str(error.name), importer.base)
    if "is not a package" in str(error):
        return _no_package(name, place, importer)
    written = _as_written(name, frames)
    blames_own = bool(blamed and frames[-1].owner is not Owner.LIBRARY)
    own = _own_folder(written, blamed.path, importer) if blamed and blames_own else None
    if own is not None:
        return f"{place} imports {own}"
    own = _guess_own_file(name, importer)
    if own is not None:
        return f"{place} imports '{name}', {own}"
    installed = installed_distributions()
    top = name.partition(".")[0]
    if "." in name and (top in sys.modules or top in installed):
        return _no_such_submodule(name, place, installed)
    beyond = [frame for frame in frames if frame.owner is Owner.LIBRARY]
    if blamed and beyond and frames[-1] is beyond[-1]:
        needing = beyond[-1].shown.partition("/")[0].removesuffix(".py")
        place = f"{place} imports {needing}, which"
    return _guess_missing_package(written, place, importer, installed)


def missing_name(error: ImportError, place: str, importer: Importer) -> str:
    """Say which name a module does not have (``from helper import naem``)."""
    module = sys.modules.get(str(error.name))
    text = str(error)
    wanted = getattr(error, "name_from", None) or text.split("'")[1]
    if "partially initialized" in text:  # a circle that is not the user's
        return f"{place}: {text.replace(importer.base + os.sep, '')}"
    if _is_shared_by_packages(module, importer):
        # Such as google.cloud, of which each package brings a part.
        return _no_such_submodule(f"{error.name}.{wanted}", place, installed_distributions())
    names = [name for name in vars(module or object) if not name.startswith("_")]
    name = _without_package(str(error.name), importer.base)
    suggestion = did_you_mean(near_miss(str(wanted), names))
    problem = f"{place} imports '{wanted}' from '{name}'"
    return f"{problem}, which has no such name{suggestion}"


def _is_shared_by_packages(module: ModuleType | None, importer: Importer) -> bool:
    """Whether several installed packages may share a folder: it has no `__init__.py`."""
    if module is None or getattr(module, "__file__", None) is not None:
        return False
    places = [os.path.abspath(place) for place in getattr(module, "__path__", ())]
    return bool(places) and not any(is_inside(place, importer.base) for place in places)


def _without_package(name: str, base: str) -> str:
    """Remove the algorithm's folder from a name that a relative import produced."""
    package, _, rest = name.partition(".")
    if rest and (package == PACKAGE_NAME or stands_for_folder(package, base)):
        return rest
    return name


def _no_package(name: str, place: str, importer: Importer) -> str:
    parent = name.rpartition(".")[0]
    file = _origin(parent)
    if file and any(file.startswith(folder + os.sep) for folder in importer.folders):
        shown = os.path.relpath(file, importer.base)
        if parent in known_names(installed_distributions()):
            return f"{place} imports '{name}', but {shown} hides the package '{parent}': rename it"
        return f"{place} imports '{name}', but '{parent}' is the file {shown}, not a folder"
    return f"{place} imports '{name}', but '{parent}' is a module, not a package"


def _origin(name: str) -> str:
    return str(getattr(sys.modules.get(name), "__file__", None) or "")


def _own_folder(written: str, file: str, importer: Importer) -> str | None:
    """Explain an import by the name of a folder of the user's; None if it names no such folder.

    Args:
        written: the dotted name in the import.
        file: absolute path of the importing file.
        importer: the user's module.
    """
    top, *rest = written.split(".")
    # The names that are imported may be on the next line: then the folder's name has to do.
    is_package = bool(rest) or is_certain(top, {}) or is_listed(top, importer.folders)
    named = [] if is_package else [os.path.join(os.path.dirname(f), top) for f in importer.folders]
    folder = own_folder([written], file) or next((f for f in named if f in importer.folders), None)
    if folder is not None:
        found = resolved(folder, rest)
        name = ".".join([top, *found])
        root = os.path.dirname(folder)
        command = f"cd {root} && hkube-wrapper run {os.path.relpath(importer.file, root)}"
        write = _importable_name(folder, found, importer)
        return (
            f"'{name}', but '{top}' is your own folder {folder}, and the folder above it is not on"
            f" Python's path: {write}run the algorithm from there ({command})"
        )
    inner = module_without_folder([written], importer.folders)
    if inner is None or is_listed(top, importer.folders):
        return None
    return (
        f"'{top}.{inner}', but there is no folder '{top}' in the algorithm's folder, which has"
        f" '{inner}' itself: import '{inner}', or package the folder that holds '{top}'"
    )


def _importable_name(folder: str, found: list[str], importer: Importer) -> str:
    """Advise the name by which a module in one of the user's folders can be imported."""
    if found and folder in importer.folders:
        return f"import '{'.'.join(found)}', or "
    if is_inside(folder, importer.base):
        parts = os.path.relpath(folder, importer.base).split(os.sep)
        return f"import '{'.'.join([*parts, *found])}', or "
    return ""


def _guess_own_file(name: str, importer: Importer) -> str | None:
    """Guess which of the user's files a missing name means; None if it means none of them."""
    *parents, last = name.split(".")
    for folder in importer.folders:
        directory = os.path.join(folder, *parents)
        if not os.path.isdir(directory):
            continue
        siblings = _importable(directory)
        if not parents:
            guess = _guess_top_level_file(last, siblings, importer)
        else:
            guess = near_miss(last, siblings)
        if guess:
            return f"which does not exist in your code{did_you_mean('.'.join([*parents, guess]))}"
        if parents and _is_own(parents[0], importer):
            there = ", ".join(siblings[:8]) or "no module"
            return f"but {'/'.join(parents)} has no {last}.py; it has: {there}"
    if name.partition(".")[0] not in known_names({}):
        return _guess_nested_file(last, importer)
    return None


def _guess_top_level_file(name: str, siblings: list[str], importer: Importer) -> str | None:
    guess = near_miss(name, siblings, likeness=0.75)
    if guess is None or guess.lower() == name.lower():
        return guess
    # "requests" is a package, not a misspelt "request.py" of the user's.
    is_package = name in known_names({}) or is_listed(
        guess_distribution(name, {}), importer.folders
    )
    return None if is_package else guess


def _is_own(package: str, importer: Importer) -> bool:
    return any(os.path.isdir(os.path.join(folder, package)) for folder in importer.folders)


def _importable(directory: str) -> list[str]:
    names = []
    for item in sorted(os.listdir(directory)):
        stem, ending = os.path.splitext(item)
        is_folder = os.path.isdir(os.path.join(directory, item))
        if stem.isidentifier() and not stem.startswith("_") and (ending == ".py" or is_folder):
            names.append(stem)
    return names


def _guess_nested_file(last: str, importer: Importer) -> str | None:
    for file in python_files(importer.base):
        folders, _, name = file.rpartition("/")
        if folders and name == f"{last}.py":
            dotted = file.removesuffix(".py").replace("/", ".")
            return f"which is not found there; there is {file}: did you mean '{dotted}'?"
    return None


def _no_such_submodule(name: str, place: str, installed: Installed) -> str:
    top = name.partition(".")[0]
    owner = guess_distribution(name, installed)
    if owner not in installed.get(top, [owner]):  # google.cloud.storage: one folder, many owners
        return (
            f"{place} imports '{name}', which is not installed: add '{owner}' to requirements.txt"
        )
    if top in sys.stdlib_module_names:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"{place} imports '{name}', which Python {version} does not have"
    what = f"{owner} {version_of(owner)}".strip()
    parent, _, last = name.rpartition(".")
    suggestion = did_you_mean(_guess_submodule(parent, last))
    other = "" if suggestion else ": name the version that has it in requirements.txt"
    return f"{place} imports '{name}', which the installed {what} does not have{suggestion}{other}"


def _guess_submodule(parent: str, last: str) -> str | None:
    folders = getattr(sys.modules.get(parent), "__path__", None) or []
    names = [name for folder in folders if os.path.isdir(folder) for name in _importable(folder)]
    guess = near_miss(last, names)
    return f"{parent}.{guess}" if guess else None


def _guess_missing_package(name: str, place: str, importer: Importer, installed: Installed) -> str:
    top = name.partition(".")[0]
    verb = "needs" if place.endswith("which") else "imports"
    distribution = guess_distribution(name, installed)
    problem = f"{place} {verb} '{top}', which is not installed"
    if is_listed(distribution, importer.folders) or is_listed(top, importer.folders):
        return f"{problem}, though requirements.txt lists it: install it, or rebuild the image"
    if is_certain(name, installed):
        return f"{problem}: add '{distribution}' to requirements.txt"
    likely = f"add its package to requirements.txt, most likely '{distribution}'"
    packages = known_names(installed) - sys.stdlib_module_names
    guess = near_miss(top, packages, likeness=0.8)
    guess = guess or near_miss(top, sys.stdlib_module_names, likeness=0.8)
    return f"{problem}{did_you_mean(guess)} (or {likely})" if guess else f"{problem}: {likely}"


def _as_written(name: str, frames: list[UserFrame]) -> str:
    """Return the whole dotted name from the import's line; Python reports only its missing part."""
    lines = one_line(frames[-1]) if frames else []
    line = lines[0] if lines else ""
    dotted = rf"({re.escape(name)}(?:\.\w+)*)"
    found = re.search(rf"from\s+{dotted}\s+import\s*\(?\s*(\w*)", line)
    if found:
        return f"{found[1]}.{found[2]}".rstrip(".")
    found = re.search(rf"import\s+{dotted}", line)
    return found[1] if found else name
