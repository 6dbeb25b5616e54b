"""The first code of the algorithm process, which the supervisor starts as a script.

It is started by its path because the user's folder may contain a `wrapper.py`. Then
`import wrapper` must import the user's file, and the package is loaded under another name. Until
that is decided, nothing in the package can be imported by name.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

PACKAGE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PUBLIC_NAME = "wrapper"
PRIVATE_NAME = "_hkube_wrapper"
_BUILTINS = dict(vars(builtins))  # as they are before user code runs


def load_package(folders: list[str]) -> str:
    """Load the package, under its own name unless a module in one of `folders` has that name.

    Returns:
        The name under which it is loaded.
    """
    name = PRIVATE_NAME if any(_holds_namesake(folder) for folder in folders) else PUBLIC_NAME
    if name in sys.modules:
        return name
    spec = importlib.util.spec_from_file_location(
        name,
        os.path.join(PACKAGE_FOLDER, "__init__.py"),
        submodule_search_locations=[PACKAGE_FOLDER],
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return name


class OwnFinder:
    """Gives the modules of our package builtins of their own.

    User code may replace a builtin (`builtins.len = …`) for its own purposes. What we send must not
    depend on that: HKube's worker ends if it receives half a message.

    Args:
        package: the name of our package.
    """

    def __init__(self, package: str) -> None:
        self._prefix = package + "."

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module of ours; None for any other."""
        if not name.startswith(self._prefix):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _OwnLoader(spec.loader.name, spec.loader.path)
        return spec


class _OwnLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = _BUILTINS
        super().exec_module(module)


def _holds_namesake(folder: str) -> bool:
    if os.path.samefile(folder, os.path.dirname(PACKAGE_FOLDER)):
        return False
    file = os.path.join(folder, PUBLIC_NAME + ".py")
    package = os.path.join(folder, PUBLIC_NAME, "__init__.py")
    return os.path.exists(file) or os.path.exists(package)


def main(arguments: list[str]) -> None:
    """Serve the supervisor; the arguments are the folders that may contain user code."""
    # Python puts a script's folder first in sys.path, where the user's `import api` or
    # `import errors` would find the wrapper's modules.
    own_folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != own_folder]
    # Hide the folders from argument parsers in the user's module.
    sys.argv[1:] = []
    name = load_package([folder for folder in arguments if os.path.isdir(folder)])
    sys.meta_path.insert(0, OwnFinder(name))
    importlib.import_module(f"{name}.algorithm.serve").serve_module()


# multiprocessing's "spawn" runs this file again, under another name, in each new process.
if __name__ == "__main__":
    main(sys.argv[1:])
