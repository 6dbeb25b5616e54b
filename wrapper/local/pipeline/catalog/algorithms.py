"""The algorithms that are available on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import final

from ...source.manifest import (
    ManifestError,
    find_manifest,
    is_manifest,
    is_python,
    read_document,
    read_manifest,
)
from ...source.source import AlgorithmSource, open_algorithm
from ..descriptor.descriptor import Pipeline
from ..descriptor.fields import DescriptorError
from .folders import (
    CatalogError,
    alternatives,
    declared_name,
    entries,
    is_folder,
    read_or_none,
    unreadable,
)


def find_algorithms(path: Path) -> dict[str, Path]:
    """Return the algorithms of a folder, or of a map file, by name.

    Unusable algorithms are included: opening one reports why, and perhaps nobody needs it.

    Args:
        path: a folder with one folder (named after its algorithm.yml or itself), one .py file or
            one description (.yml or .json) for each algorithm; or a YAML or JSON file that maps
            names to paths, relative to its own folder.

    Raises:
        CatalogError: the path is neither, or two algorithms have the same name.
    """
    if is_folder(path):
        return _in_folder(path)
    if not path.exists():
        raise CatalogError(f"{path} does not exist; give a folder or a map file of algorithms")
    if not is_manifest(path):
        raise CatalogError(f"{path} is neither a folder nor a map of algorithms (.yml, .json)")
    try:
        document = read_document(path)
    except ManifestError as error:
        raise CatalogError(str(error)) from error
    if not isinstance(document, dict):
        raise CatalogError(f"{path} must map names of algorithms to paths")
    found = {}
    for name, place in document.items():
        if not isinstance(name, str) or not isinstance(place, str) or not place:
            raise CatalogError(f"{path}: {name} must map a name to a path, both strings")
        found[name] = path.parent / place
        if not os.path.exists(found[name]):  # also False for a name that is too long
            raise CatalogError(f"{path}: {name} is {place}, but {found[name]} does not exist")
    return found


@final
class Algorithms:
    """The algorithms by name; each is opened when it is first needed.

    A context manager: leaving the context deletes what was unpacked.
    """

    def __init__(
        self, paths: Mapping[str, Path], where: str, variables: Mapping[str, str] | None = None
    ) -> None:
        """Create a catalog.

        Args:
            paths: the path of each algorithm.
            where: the catalog's name in errors; if there are no paths, how to add algorithms.
            variables: environment variables of all of them, which override their own.
        """
        self._variables = variables or {}
        self._paths = paths
        self._where = where
        self._opened: dict[str, AlgorithmSource] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Algorithms:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def source(self, name: str) -> AlgorithmSource:
        """Return an algorithm.

        Raises:
            WrapperError: it does not exist, or is unusable.
        """
        if name not in self._paths:
            raise CatalogError(self.missing(name))
        if name not in self._opened:
            try:
                source = self._stack.enter_context(open_algorithm(self._paths[name]))
            except OSError as error:
                raise unreadable(self._paths[name], error) from error
            environ = {**source.environ, **self._variables}
            self._opened[name] = replace(source, environ=environ)
        return self._opened[name]

    def missing(self, name: str) -> str:
        """Return a sentence that says that an algorithm does not exist, and which ones do."""
        if not self._paths:
            return f"there is no algorithm '{name}'; {self._where}"
        return f"there is no algorithm '{name}' in {self._where}{alternatives(name, self._paths)}"


def check_algorithms(
    pipeline: Pipeline, where: str, algorithms: Algorithms, scripted: Iterable[str]
) -> None:
    """Check that the algorithm of every node is available.

    Args:
        pipeline: the pipeline.
        where: the pipeline's name in errors.
        algorithms: the available algorithms.
        scripted: the names of algorithms that need not be available, because they have a reply.

    Raises:
        DescriptorError: an algorithm does not exist.
        WrapperError: an algorithm is unusable.
    """
    replied = set(scripted)
    for index, node in enumerate(pipeline.nodes):
        if node.algorithm in replied:
            continue
        if node.algorithm not in algorithms:
            text = algorithms.missing(node.algorithm)
            raise DescriptorError(f"{where}: nodes[{index}] '{node.name}': {text}")
        algorithms.source(node.algorithm)


def _in_folder(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for entry in entries(folder):
        name = _name_of(entry)
        if name is None:
            continue
        if name in found and _describes(found[name], entry):
            continue
        if name in found and not _describes(entry, found[name]):
            raise CatalogError(f"{found[name]} and {entry} are both named '{name}'")
        found[name] = entry
    if not found:
        raise CatalogError(
            f"{folder} has no algorithms: for each algorithm, it must contain a folder with a "
            "main.py, or a .py file"
        )
    return found


def _describes(description: Path, code: Path) -> bool:
    """Return whether a description is that of a .py file, such as a.yml beside a.py."""
    if not is_manifest(description) or code.suffix != ".py":
        return False
    try:
        manifest = read_manifest(description)
    except ManifestError:
        return False
    entry_point = (manifest.entry_point or "main.py").removesuffix(".py").replace(".", "/")
    return (manifest.code / f"{entry_point}.py").resolve() == code.resolve()


def _name_of(entry: Path) -> str | None:
    """Return the name of the algorithm at a path, or None if it is not an algorithm."""
    if entry.name.startswith((".", "_")):
        return None
    description = find_manifest(entry) if entry.is_dir() else None
    if description is None and entry.is_file() and is_manifest(entry):
        document = read_or_none(entry)
        description = entry if isinstance(document, dict) and "code" in document else None
        if description is None or not is_python(document):
            return None
    if description is not None:
        try:
            return read_manifest(description).name
        except ManifestError:  # reported when something asks for the algorithm
            return declared_name(description) or (entry.name if entry.is_dir() else entry.stem)
    if entry.is_dir():
        return entry.name if (entry / "main.py").is_file() else None
    return entry.stem if entry.suffix == ".py" else None
