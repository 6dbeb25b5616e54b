"""The algorithms and the stored pipelines that are at hand on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from ....errors import WrapperError
from ....text.suggestions import did_you_mean, near_miss
from ...source.manifest import (
    ManifestError,
    find_manifest,
    is_manifest,
    read_document,
    read_manifest,
)
from ...source.source import AlgorithmSource, open_algorithm
from ..descriptor.descriptor import Pipeline
from ..descriptor.fields import DescriptorError
from ..descriptor.parsing import parse_pipeline

_LISTED = 8


class CatalogError(WrapperError):
    """A folder or a map of algorithms, or of pipelines, cannot be used; the text says why."""

    code = "CatalogError"


@dataclass(frozen=True)
class Unusable:
    """A stored pipeline that cannot be used, which is an error only once it is asked for."""

    reason: str


Stored = Mapping[str, Pipeline | Unusable]
"""Stored pipelines by name."""


def find_algorithms(path: Path) -> dict[str, Path]:
    """Return the algorithms of a folder, or of a map.

    One that cannot be used is among them: opening it tells why, and nobody may need it.

    Args:
        path: a folder with an algorithm for each folder (by its name, or by that in its
            algorithm.yml), each .py file and each description (.yml or .json) in it; or a YAML or
            JSON file that maps names to paths, which start at its folder.

    Raises:
        CatalogError: it is neither, or has two algorithms of one name.
    """
    if _is_folder(path):
        return _in_folder(path)
    if not path.exists():
        raise CatalogError(f"{path} does not exist; give a folder of algorithms, or a map of them")
    if not is_manifest(path):
        raise CatalogError(f"{path} is neither a folder nor a map of algorithms (.yml, .json)")
    try:
        document = read_document(path)
    except ManifestError as error:
        raise CatalogError(str(error)) from error
    if not isinstance(document, dict):
        raise CatalogError(f"{path} must map the names of algorithms to paths")
    found = {}
    for name, place in document.items():
        if not isinstance(name, str) or not isinstance(place, str) or not place:
            raise CatalogError(f"{path}: {name} must be a name with a path, as text")
        found[name] = path.parent / place
        if not os.path.exists(found[name]):  # False also for a name that is too long
            raise CatalogError(f"{path}: {name} is {place}, but {found[name]} does not exist")
    return found


@final
class Algorithms:
    """The algorithms by name; each is opened when it is first needed.

    A context manager: what had to be unpacked is gone afterwards.
    """

    def __init__(self, paths: Mapping[str, Path], where: str) -> None:
        """Prepare a catalog.

        Args:
            paths: where each algorithm is.
            where: what to call all of it in an error.
        """
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
            WrapperError: it is not there, or is none.
        """
        if name not in self._paths:
            raise CatalogError(self.missing(name))
        if name not in self._opened:
            try:
                source = self._stack.enter_context(open_algorithm(self._paths[name]))
            except OSError as error:
                raise _unreadable(self._paths[name], error) from error
            self._opened[name] = source
        return self._opened[name]

    def missing(self, name: str) -> str:
        """Return a sentence that says that there is no such algorithm, and which there are."""
        if not self._paths:
            return f"there is no algorithm '{name}': {self._where}"
        return f"there is no algorithm '{name}' in {self._where}{_instead(name, self._paths)}"


def check_algorithms(
    pipeline: Pipeline, where: str, algorithms: Algorithms, answered: Iterable[str]
) -> None:
    """See that every node's algorithm is at hand.

    Raises:
        DescriptorError: one is not.
        WrapperError: one cannot be used.
    """
    scripted = set(answered)
    for index, node in enumerate(pipeline.nodes):
        if node.algorithm in scripted:
            continue
        if node.algorithm not in algorithms:
            text = algorithms.missing(node.algorithm)
            raise DescriptorError(f"{where}: nodes[{index}] '{node.name}': {text}")
        algorithms.source(node.algorithm)


def load_pipelines(folder: Path | None) -> dict[str, Pipeline | Unusable]:
    """Return the stored pipelines of a folder of JSON or YAML files, by their names.

    A file without a `name` in it is called as the file. One that cannot be used is among them.

    Raises:
        CatalogError: there is no such folder, or two pipelines have one name.
    """
    if folder is None:
        return {}
    if not _is_folder(folder):
        raise CatalogError(f"{folder} is no folder of stored pipelines")
    found: dict[str, Pipeline | Unusable] = {}
    files: dict[str, Path] = {}
    for file in _entries(folder):
        if not file.is_file() or not is_manifest(file):
            continue
        pipeline: Pipeline | Unusable
        try:
            pipeline = read_pipeline(file)
            name = pipeline.name
        except DescriptorError as error:
            pipeline = Unusable(str(error))
            name = _name_in(file) or file.stem
        if name in found:
            raise CatalogError(f"{file} and {files[name]} are both called '{name}'")
        found[name], files[name] = pipeline, file
    return found


def stored_pipeline(name: str, stored: Stored) -> Pipeline:
    """Return a stored pipeline that is there.

    Raises:
        DescriptorError: it cannot be used.
    """
    pipeline = stored[name]
    if isinstance(pipeline, Unusable):
        raise DescriptorError(pipeline.reason)
    return pipeline


def read_pipeline(file: Path) -> Pipeline:
    """Return the pipeline that a JSON or YAML file describes.

    Raises:
        DescriptorError: it cannot be used.
    """
    if file.suffix == ".py":
        raise DescriptorError(
            f"{file} is an algorithm, not a pipeline: `hkube-wrapper run {file}` runs it"
        )
    if os.path.isdir(file):  # which takes any name
        raise DescriptorError(f"{file} is a folder; name the pipeline's own file, JSON or YAML")
    try:
        document: Any = read_document(file)
    except ManifestError as error:
        raise DescriptorError(str(error)) from error
    return parse_pipeline(document, str(file), name=file.stem)


def missing_pipeline(name: str, pipelines: Stored) -> str:
    """Return a sentence that says that there is no such stored pipeline, and which there are."""
    if not pipelines:
        return f"there is no stored pipeline '{name}'; --pipelines names a folder of them"
    return f"there is no stored pipeline '{name}'{_instead(name, pipelines)}"


def _in_folder(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for entry in _entries(folder):
        name = _name_of(entry)
        if name is None:
            continue
        if name in found:
            raise CatalogError(f"{found[name]} and {entry} are both called '{name}'")
        found[name] = entry
    if not found:
        raise CatalogError(
            f"{folder} has no algorithms: it must hold a folder with a main.py, "
            "or a .py file, for each"
        )
    return found


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError) as error:  # a name that is too long, or holds a null byte
        raise _unreadable(path, error) from error


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise _unreadable(folder, error) from error


def _unreadable(path: Path, error: OSError | ValueError) -> CatalogError:
    reason = getattr(error, "strerror", None) or str(error)
    name = str(path)
    return CatalogError(f"cannot read {name if len(name) < 200 else name[:200] + '…'}: {reason}")


def _name_of(entry: Path) -> str | None:
    """The name of the algorithm at a path; None if there is none."""
    if entry.name.startswith((".", "_")):
        return None
    description = find_manifest(entry) if entry.is_dir() else None
    if description is None and entry.is_file() and is_manifest(entry):
        document = _read_quietly(entry)
        description = entry if isinstance(document, dict) and "code" in document else None
        if description is None:
            return None
    if description is not None:
        try:
            return read_manifest(description).name
        except ManifestError:  # which is told to whoever asks for it
            return _name_in(description) or (entry.name if entry.is_dir() else entry.stem)
    if entry.is_dir():
        return entry.name if (entry / "main.py").is_file() else None
    return entry.stem if entry.suffix == ".py" else None


def _name_in(file: Path) -> str | None:
    """The name that a document gives itself, of whatever else it is made."""
    document = _read_quietly(file)
    name = document.get("name") if isinstance(document, dict) else None
    return name if isinstance(name, str) and name else None


def _read_quietly(file: Path) -> Any:
    try:
        return read_document(file)
    except ManifestError:
        return None  # not meant as an algorithm, perhaps


def _instead(name: str, names: Iterable[str]) -> str:
    names = sorted(names)
    alike = near_miss(name, names)
    if alike is not None:
        return did_you_mean(alike)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"; there are {', '.join(names[:_LISTED])}{more}"
