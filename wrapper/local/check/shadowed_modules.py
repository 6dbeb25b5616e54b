"""Finds the user's files that hide another module of the same name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from ...algorithm.loading.distributions import DISTRIBUTIONS, SAME_NAME
from .finding import Finding, note

_HARMLESS = frozenset({"test", "this", "antigravity", "idlelib", "turtledemo"})
_OWN = ("wrapper", "hkube_python_wrapper")


def hiding_files(folder: Path, file: Path) -> Iterator[Finding]:
    """Report each file that hides a standard module, a known package or HKube's package.

    Args:
        folder: the algorithm's folder.
        file: its module; imports are searched in its folder first.
    """
    known = (SAME_NAME | {name.partition(".")[0] for name in DISTRIBUTIONS}) - {"attr"}
    for root in dict.fromkeys([file.parent, folder]):
        for path, name in _modules(root):
            shown = path.relative_to(folder).as_posix()
            if name in _OWN:
                yield note(
                    "module",
                    f"{shown} has the same name as HKube's package: import {name} loads your file",
                )
            elif name in sys.stdlib_module_names - _HARMLESS:
                yield note(
                    "module",
                    f"{shown} hides the standard module '{name}', even from libraries: rename it",
                )
            elif name in known:
                yield note("module", f"{shown} hides the package '{name}': rename it")


def _modules(root: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(root.iterdir()):
        if path.suffix == ".py" and path.is_file():
            yield path, path.stem
        elif (path / "__init__.py").is_file():
            yield path, path.name
