"""Lets processes that user code starts import the package made of the algorithm's folder.

``multiprocessing``, ``concurrent.futures`` and ``joblib`` name the function that a new process has
to call, such as ``alg.main.work``, and give the process this one's ``sys.path``.
"""

from __future__ import annotations

import atexit
import os
import sys
from importlib.machinery import PathFinder


def make_findable(name: str, base: str) -> None:
    """Put a folder on ``sys.path`` in which the algorithm's folder has the package's name.

    It comes last, so that it hides nothing.

    Args:
        name: the package's name.
        base: absolute path of the algorithm's folder.
    """
    spec = PathFinder.find_spec(name)
    if spec is not None:
        return  # it is on the path already, as in the image, or another package is
    if os.path.basename(base) == name:
        sys.path.append(os.path.dirname(base))
        return
    try:
        sys.path.append(_folder_with_link(name, base))
    except OSError:
        pass  # no folder for temporary files: only code that starts processes needs it


def _folder_with_link(name: str, base: str) -> str:
    import shutil  # here, because few algorithms need it, and it is slow to import
    import tempfile

    from ...text.scratch_names import scratch_prefix

    folder = tempfile.mkdtemp(prefix=scratch_prefix())
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    os.symlink(base, os.path.join(folder, name), target_is_directory=True)
    return folder
