"""The first code of the algorithm process; started by the supervisor as a script.

As a script, and by its path, because the user's folder may hold a `wrapper.py` of their own:
then `import wrapper` must give them theirs, and the package is loaded under another name.
Nothing of the package can be imported by name before that is decided.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys

PACKAGE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PUBLIC_NAME = "wrapper"
PRIVATE_NAME = "_hkube_wrapper"


def load_package(folders: list[str]) -> str:
    """Load the package, under its own name unless a module in one of `folders` has it.

    Returns:
        The name it is loaded under.
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


def _holds_namesake(folder: str) -> bool:
    if os.path.samefile(folder, os.path.dirname(PACKAGE_FOLDER)):
        return False
    file = os.path.join(folder, PUBLIC_NAME + ".py")
    package = os.path.join(folder, PUBLIC_NAME, "__init__.py")
    return os.path.exists(file) or os.path.exists(package)


def main(arguments: list[str]) -> None:
    """Serve the supervisor; the arguments are the folders where user code may be."""
    # A script's own folder comes first in sys.path: there the user's `import api` or
    # `import loader` would find the wrapper's modules.
    own_folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != own_folder]
    # The folders are our own affair: a parser in the user's module must not find them.
    sys.argv[1:] = []
    name = load_package([folder for folder in arguments if os.path.isdir(folder)])
    importlib.import_module(f"{name}.algorithm.serve").serve_module()


# multiprocessing's "spawn" runs this file again, under another name, in each of its processes.
if __name__ == "__main__":
    main(sys.argv[1:])
