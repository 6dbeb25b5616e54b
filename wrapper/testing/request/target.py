"""Finds the algorithm that the first argument of `hkube.run` names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ...algorithm.loading.functions import functions_of
from ...algorithm.loading.importing import put_on_path
from ...algorithm.loading.loader import EntryPoint, UserAlgorithm, from_functions, load
from ...local.source.source import (
    AlgorithmSource,
    SourceError,
    open_algorithm,
    source_of_file,
)
from ...text.suggestions import did_you_mean, near_miss
from .wrong_use import WrongUse

_DOTTED_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


@dataclass(frozen=True)
class AlgorithmTarget:
    """An algorithm under test.

    Attributes:
        key: Identifies the algorithm within a test.
        name: Name of the algorithm.
        opened: Opens the algorithm's source; close it after the last run.
        load: Returns the algorithm's functions; None to load them as in the container.
        in_process_only: Why it cannot run in a separate process; empty if it can.
    """

    key: object
    name: str
    opened: Callable[[], AbstractContextManager[AlgorithmSource]]
    load: Callable[[], UserAlgorithm] | None = None
    in_process_only: str = ""


def load_source(source: AlgorithmSource) -> UserAlgorithm:
    """Load the algorithm's module, as the container does."""
    return load(EntryPoint(source.folder, source.entry_point))


def find_target(given: Any, bases: Iterable[Path]) -> AlgorithmTarget:
    """Find the algorithm that a test means.

    Args:
        given: A path that `open_algorithm` accepts, an imported module or a `start` function.
        bases: Folders to resolve a relative path against, in this order.

    Raises:
        SourceError: The path does not exist.
        WrongUse: It is something else.
    """
    if isinstance(given, (str, Path)):
        path = Path(given)
        return _of_path(path, [Path(path.anchor)] if path.anchor else list(dict.fromkeys(bases)))
    if isinstance(given, ModuleType):
        return _of_module(given)
    if callable(given):
        return _of_function(given)
    raise WrongUse(
        "hkube.run takes the path of an algorithm, its module or its start function, "
        f"not {type(given).__name__}"
    )


def _of_path(path: Path, bases: list[Path]) -> AlgorithmTarget:
    text = str(path)
    if "\0" in text:
        raise SourceError("the path contains a null byte")
    for base in bases:
        found = Path(os.path.normpath(base / path))
        if os.path.exists(found):  # also False if the name is too long
            return AlgorithmTarget(found.resolve(), found.resolve().stem, _opener(found))
        if _DOTTED_NAME.fullmatch(text) and _is_module(base.joinpath(*text.split("."))):
            source = AlgorithmSource(text.rpartition(".")[2], base.resolve(), text)
            return AlgorithmTarget((source.folder, text), source.name, _opener(source))
    if _DOTTED_NAME.fullmatch(text) and path.suffix not in (".py", ".yml", ".yaml", ".json"):
        try:
            with open_algorithm(text):
                return AlgorithmTarget(
                    text, text.rpartition(".")[2], _opener(text)
                )  # an installed one
        except SourceError:
            pass  # the error below lists the folders as well
    raise SourceError(_not_found(path, bases))


def _opener(
    given: str | Path | AlgorithmSource,
) -> Callable[[], AbstractContextManager[AlgorithmSource]]:
    if isinstance(given, AlgorithmSource):
        return lambda: nullcontext(given)
    return lambda: open_algorithm(given)


def _is_module(path: Path) -> bool:
    return os.path.isfile(f"{path}.py") or os.path.isfile(path / "__init__.py")


def _not_found(path: Path, bases: list[Path]) -> str:
    meant = near_miss(path.name, [name for base in bases for name in _beside(base / path)])
    hint = did_you_mean(str(path.with_name(meant)) if meant else None)
    if path.is_absolute():
        return f"{path} does not exist{hint}"
    looked = ", ".join(map(str, bases))
    return f"{path} does not exist{hint} (looked in {looked})"


def _beside(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []


def _of_module(module: ModuleType) -> AlgorithmTarget:
    file = getattr(module, "__file__", None)
    if file is None:
        raise WrongUse(
            f"{module.__name__} has no file: pass the module that defines the start function"
        )
    path = Path(file).resolve()
    source = source_of_file(path, path.stem)

    def load_module() -> UserAlgorithm:
        put_on_path(str(path.parent), str(path.parent))
        os.chdir(path.parent)  # as in the container
        text = path.read_bytes() if path.suffix == ".py" else b""
        functions = functions_of(module, path.name, text)
        return UserAlgorithm(
            functions.start,
            functions.initialize,
            functions.stop,
            functions.exit,
            folder=path.parent,
            remarks=functions.remarks,
            base=path.parent,
        )

    return AlgorithmTarget(
        ("module", id(module)), source.name, lambda: nullcontext(source), load_module
    )


def _of_function(start: Callable[..., Any]) -> AlgorithmTarget:
    name = getattr(start, "__name__", "start")
    return AlgorithmTarget(
        ("function", id(start)),
        name,
        lambda: nullcontext(AlgorithmSource(name, Path.cwd())),
        lambda: from_functions(start),
        in_process_only="isolated=True takes a path or a module: a separate process cannot call a "
        "function of this one",
    )
