"""The first code of the algorithm process, which the supervisor starts as a script.

It is started by its path because the user's folder may contain a `wrapper.py`. Then
`import wrapper` must import the user's file, and the package is loaded under another name. Until
that is decided, nothing in the package can be imported by name.

The wrapper's own imports must not find the user's files either. So this file imports nothing
before the user's folders are last in sys.path (see `hkube_python_wrapper/_import_path.py`).
"""

# ruff: noqa: E402
import os
import sys

PACKAGE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PUBLIC_NAME = "wrapper"
PRIVATE_NAME = "_hkube_wrapper"

# Set by the supervisor (supervisor/serve.py): what PYTHONPATH should be in this process.
WITHHELD_VARIABLE = "_HKUBE_PYTHONPATH"


def put_users_last() -> list[str]:
    """Put the user's folders last in sys.path; return what user code should find there."""
    # Python puts a script's folder first in sys.path, where the user's `import api` or
    # `import errors` would find the wrapper's modules.
    own_folder = os.path.dirname(os.path.abspath(__file__))
    path = [entry for entry in sys.path if os.path.abspath(entry or ".") != own_folder]
    users_path = list(dict.fromkeys([*_withheld(), *path]))
    sys.path[:] = [os.path.dirname(PACKAGE_FOLDER), *users_path]
    from hkube_python_wrapper._import_path import users_last

    sys.path[:] = users_path
    users_last()
    return users_path


def _withheld() -> list[str]:
    """Set PYTHONPATH as this process should have it, and return its folders."""
    value = os.environ.pop(WITHHELD_VARIABLE, None)
    if value is None:
        return []
    os.environ["PYTHONPATH"] = value
    return [os.path.abspath(entry) for entry in value.split(os.pathsep)]


_users_path = put_users_last() if __name__ == "__main__" else []

import builtins
import importlib
import importlib.util
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

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
    users_path = _users_path or put_users_last()
    # Hide the folders from argument parsers in the user's module.
    sys.argv[1:] = []
    name = load_package([folder for folder in arguments if os.path.isdir(folder)])
    sys.meta_path.insert(0, OwnFinder(name))
    serve = importlib.import_module(f"{name}.algorithm.serve")

    def before_loading() -> None:
        from hkube_python_wrapper._import_path import import_needed_later

        import_needed_later([*arguments, *users_path])
        sys.path[:] = users_path

    serve.serve_module(before_loading)


# multiprocessing's "spawn" runs this file again, under another name, in each new process.
if __name__ == "__main__":
    main(sys.argv[1:])
