"""Where the wrapper's own imports are found: in the library first, among the user's files last.

PYTHONPATH may hold the user's folder, as HKube's builder sets it, and Python itself puts the
script's folder or the working directory first in sys.path. A user's `json.py` there must not be
what the wrapper imports. This module needs only what Python has imported when it starts.
"""

import os
import sys

_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))
_LIBRARY_ZIP = "python{}{}.zip".format(*sys.version_info)
_PACKAGES = ("site-packages", "dist-packages")
_USERS = 2

# What the code in the algorithm process may import after the user's module has been loaded, when
# the user's folder comes first in sys.path: a test compares the list with the imports.
_NAMES = """
    __future__ _colorize _sha1 ast asyncio base64 binascii bson collections concurrent contextlib
    contextvars ctypes dataclasses datetime decimal difflib dis enum fcntl functools hashlib
    importlib importlib_metadata inspect json keyword linecache math mmap msgpack msgspec
    obstore opcode orjson ormsgpack pathlib queue random re select selectors shutil signal socket
    struct sysconfig tempfile textwrap threading token tokenize traceback types typing
    unicodedata urllib uuid warnings weakref zlib
"""
NEEDED_LATER = frozenset(_NAMES.split())


def users_last() -> None:
    """Move everything but the library and installed packages to the end of sys.path."""
    sys.path.sort(key=_rank)


class restored_path:  # noqa: N801 - a context manager, without importing contextlib
    """For the wrapper's imports in a user's process: users_last, and sys.path restored after it.

    `with` yields sys.path as it was.
    """

    def __enter__(self) -> list[str]:
        self._path = list(sys.path)
        users_last()
        return self._path

    def __exit__(self, *exc_info: object) -> None:
        sys.path[:] = self._path


def add_what_isolation_leaves_out() -> None:
    """Add what Python's option -I leaves out, the user's packages and PYTHONPATH, to the end."""
    if not sys.flags.isolated:
        return
    import site

    folder = site.getusersitepackages()
    if sys.prefix == sys.base_prefix and os.path.isdir(folder):
        site.addsitedir(folder)
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path += [entry for entry in entries if entry and entry not in sys.path]


def import_needed_later(folders: list[str]) -> None:
    """Import the modules of NEEDED_LATER that files in the user's folders would hide.

    Args:
        folders: where the user's files are; library folders are passed over.
    """
    names: set[str] = set()
    for folder in folders:
        if _rank(folder) < _USERS:
            continue
        try:
            names |= {name.partition(".")[0] for name in os.listdir(folder)}
        except OSError:
            pass  # an import will report it, if it matters
    for name in sorted(names & NEEDED_LATER):
        try:
            __import__(name)
        except ImportError:
            pass  # not installed, so the wrapper does without it


def is_installed(folder: str) -> bool:
    """Whether a folder is one of the library, or one that packages are installed in."""
    return _rank(folder) < _USERS


def _rank(entry: str) -> int:
    if os.path.basename(entry) in _PACKAGES:
        return 1
    is_library = entry == _LIBRARY or entry.startswith(_LIBRARY + os.sep)
    return 0 if is_library or os.path.basename(entry) == _LIBRARY_ZIP else _USERS
