"""The first code of the process that loads an algorithm for `check`; started as a script.

As for the algorithm process, the package is loaded under another name where the user's folder
holds a `wrapper.py`: see `algorithm/boot.py`, whose work this does with the same functions.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import os
import sys


def main(answer: str, stacks: str, base: str, target: str, file: str) -> None:
    """Load the algorithm and write what was found into a file.

    Args:
        answer: path of the file.
        stacks: path of the file for the stacks of a crash.
        base: the algorithm's folder.
        target: the entry point.
        file: the path that it leads to.
    """
    faulthandler.enable(open(stacks, "w", encoding="utf-8"))  # noqa: SIM115 - open to the end
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != folder]
    sys.argv[1:] = []  # a parser in the user's module must not find them
    package = os.path.dirname(os.path.dirname(folder))
    boot = os.path.join(package, "algorithm", "boot.py")
    spec = importlib.util.spec_from_file_location("_hkube_boot", boot)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    name = module.load_package(list(dict.fromkeys([base, os.path.dirname(file)])))
    importlib.import_module(f"{name}.local.check.probe_answer").answer(answer, base, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
