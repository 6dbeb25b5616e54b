"""Prepares a traceback for its reader: finds the owner and a short name of each frame's file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import IntEnum
from itertools import groupby
from types import CodeType, FrameType, TracebackType
from typing import NamedTuple

WRAPPER_FOLDER = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""The package's folder, whatever name it is loaded under."""

HIDDEN_FOLDERS = (
    WRAPPER_FOLDER,
    os.path.join(os.path.dirname(WRAPPER_FOLDER), "hkube_python_wrapper"),
)
STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))
IMPORT_MACHINERY = tuple(
    os.path.join(STANDARD_LIBRARY, name)
    for name in ("runpy.py", "importlib/__init__.py", "importlib/_bootstrap")
)
PACKAGE_FOLDERS = ("site-packages", "dist-packages")

TRAILING_LIBRARY_FRAMES = 2
REPEATS_SHOWN = 3
FIRST_SHOWN = 10
LAST_SHOWN = 10
# With a raised recursion limit, a traceback can have a million frames; nobody reads the middle.
FIRST_WALKED = 100
LAST_WALKED = 2000


class Owner(IntEnum):
    """Whose code a frame runs; the higher, the more likely its line is the one to look at."""

    LIBRARY = 0
    OUTSIDE = 1  # probably the user's: not a library, but not in the algorithm's folder either
    ALGORITHM = 2


class UserFrame(NamedTuple):
    """One call in a traceback.

    Attributes:
        owner: whose code it runs.
        path: the absolute path of the source file, which may not exist.
        shown: the path as the user knows it.
        line: the line number, from 1.
        function: the name of the function.
        code: its code object.
        instruction: offset of the running instruction in ``code``, in bytes.
    """

    owner: Owner
    path: str
    shown: str
    line: int
    function: str
    code: CodeType
    instruction: int

    @property
    def spot(self) -> str:
        """``main.py:3``."""
        return f"{self.shown}:{self.line}"

    @property
    def place(self) -> str:
        """``main.py:3, in start``; without a function at the module's top level."""
        if self.function == "<module>":
            return self.spot
        return f"{self.spot}, in {self.function}"


class Files:
    """Finds the owner and a short name of each file, for one report.

    Args:
        folder: the algorithm's folder; None: the working directory.
    """

    def __init__(self, folder: str | None = None) -> None:
        try:
            self.working_directory = os.getcwd()
        except OSError:  # it was removed
            self.working_directory = ""
        self.folder = os.path.abspath(folder) if folder else self.working_directory
        self._known: dict[tuple[str, object], tuple[Owner, str, str] | None] = {}

    def frames(self, traceback: TracebackType | None) -> list[UserFrame]:
        """List the frames of a traceback, outermost first.

        Frames of the wrapper and of the import system are left out.
        """
        found = []
        for step in _steps(traceback):
            frame = step.tb_frame
            module_file = dict.get(frame.f_globals, "__file__")
            key = (frame.f_code.co_filename, module_file)
            if key not in self._known:
                self._known[key] = self._classify(*key)
            file = self._known[key]
            if file is not None:
                found.append(_frame(frame, step, *file))
        return found

    def running_place(self, frame: FrameType | None) -> str | None:
        """Return where code runs now: the innermost frame of the user's code, if there is one.

        Args:
            frame: the innermost frame of a thread.
        """
        while frame is not None:
            code = frame.f_code
            file = self._classify(code.co_filename, dict.get(frame.f_globals, "__file__"))
            if file is not None and file[0] is not Owner.LIBRARY:
                place = f"{file[2]}:{frame.f_lineno}"
                return place if code.co_name == "<module>" else f"{place}, in {code.co_name}"
            frame = frame.f_back
        return None

    def shown(self, path: str) -> str:
        """Shorten a path: relative to the algorithm's folder or a library's, else in full."""
        for folder in (self.folder, self.working_directory):
            if folder and is_inside(path, folder):
                return os.path.relpath(path, folder).replace(os.sep, "/")
        for marker in PACKAGE_FOLDERS:
            _, found, rest = path.rpartition(f"{os.sep}{marker}{os.sep}")
            if found:
                return rest.replace(os.sep, "/")
        if is_inside(path, STANDARD_LIBRARY):
            return os.path.relpath(path, STANDARD_LIBRARY).replace(os.sep, "/")
        return path

    def owner(self, path: str) -> Owner:
        """Return whose code a file holds."""
        own = bool(self.folder) and is_inside(path, self.folder)
        below = os.path.relpath(path, self.folder) if own else path
        if any(marker in below.split(os.sep) for marker in PACKAGE_FOLDERS):
            return Owner.LIBRARY
        if is_inside(path, STANDARD_LIBRARY) and not is_inside(self.folder, STANDARD_LIBRARY):
            return Owner.LIBRARY
        return Owner.ALGORITHM if own else Owner.OUTSIDE

    def _classify(self, code_file: str, module_file: object) -> tuple[Owner, str, str] | None:
        if code_file.startswith("<"):
            if code_file.startswith(("<frozen importlib", "<frozen runpy", "<frozen zipimport")):
                return None
            return Owner.LIBRARY, "", code_file
        path = os.path.join(self.working_directory, code_file)
        if not os.path.exists(path) and isinstance(module_file, str):
            # Compiled elsewhere (Cython, .pyc): the code's path does not exist on this machine.
            path = os.path.join(os.path.dirname(module_file), os.path.basename(code_file))
        path = os.path.normpath(path)
        if self._is_hidden(path):
            return None
        return self.owner(path), path, self.shown(path)

    def _is_hidden(self, path: str) -> bool:
        if path.startswith(IMPORT_MACHINERY):
            return True
        for folder in HIDDEN_FOLDERS:
            if is_inside(path, folder):
                # An algorithm inside the package's folder (a shipped example) is shown.
                return not (is_inside(self.folder, folder) and is_inside(path, self.folder))
        return False


def cause(frames: list[UserFrame]) -> UserFrame | None:
    """Pick the frame to blame: the deepest one of the user's code, else the deepest of all."""
    blamed = None
    for frame in frames:
        if blamed is None or frame.owner >= blamed.owner:
            blamed = frame
    return blamed


def worth_showing(frames: list[UserFrame]) -> list[UserFrame | str]:
    """Shorten a list of frames to those that a user reads; texts replace the others."""
    owners = [frame.owner for frame in frames]
    own = [index for index, owner in enumerate(owners) if owner is not Owner.LIBRARY]
    if not own:
        return list(frames[-TRAILING_LIBRARY_FRAMES:])
    entries: list[UserFrame | str] = []
    library: list[UserFrame] = []
    for frame in frames[own[0] : own[-1] + 1]:
        if frame.owner is Owner.LIBRARY:
            library.append(frame)
            continue
        entries += _left_out(library)
        library = []
        entries.append(frame)
    trailing = frames[own[-1] + 1 :]
    entries += _left_out(trailing[:-TRAILING_LIBRARY_FRAMES])
    entries += trailing[-TRAILING_LIBRARY_FRAMES:]
    return _middle_cut(_repeats_collapsed(entries))


def is_inside(path: str, folder: str) -> bool:
    """Whether a path is a folder or is below it; both are absolute."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _steps(traceback: TracebackType | None) -> list[TracebackType]:
    steps = []
    while traceback is not None:
        steps.append(traceback)
        traceback = traceback.tb_next
    if len(steps) > FIRST_WALKED + LAST_WALKED:
        steps[FIRST_WALKED:-LAST_WALKED] = []
    return steps


def _frame(frame: FrameType, step: TracebackType, owner: Owner, path: str, shown: str) -> UserFrame:
    code = frame.f_code
    name: str = getattr(code, "co_qualname", code.co_name)  # Python 3.11 has the class's name too
    return UserFrame(
        owner=owner,
        path=path,
        shown=shown,
        # A line can be unknown in generated code.
        line=step.tb_lineno or code.co_firstlineno,
        function=name.rpartition("<locals>.")[2],
        code=code,
        instruction=step.tb_lasti,
    )


def _left_out(frames: list[UserFrame]) -> list[UserFrame | str]:
    if not frames:
        return []
    names = list(dict.fromkeys(_library_name(frame) for frame in frames))
    number = f"{len(frames)} frame{'s' if len(frames) > 1 else ''}"
    return [f"... {number} of {', '.join(names[:3])} left out"]


def _library_name(frame: UserFrame) -> str:
    return frame.shown.lstrip("/").partition("/")[0].removesuffix(".py")


def _repeats_collapsed(entries: Iterable[UserFrame | str]) -> list[UserFrame | str]:
    collapsed: list[UserFrame | str] = []
    for _, group in groupby(entries, key=_spot):
        repeats = list(group)
        collapsed += repeats[:REPEATS_SHOWN]
        if len(repeats) > REPEATS_SHOWN:
            collapsed.append(f"... the same line {len(repeats) - REPEATS_SHOWN} more times")
    return collapsed


def _spot(entry: UserFrame | str) -> object:
    return (id(entry.code), entry.line) if isinstance(entry, UserFrame) else entry


def _middle_cut(entries: list[UserFrame | str]) -> list[UserFrame | str]:
    if len(entries) <= FIRST_SHOWN + LAST_SHOWN:
        return entries
    left_out = len(entries) - FIRST_SHOWN - LAST_SHOWN
    return [
        *entries[:FIRST_SHOWN],
        f"... {left_out} frames left out",
        *entries[-LAST_SHOWN:],
    ]
