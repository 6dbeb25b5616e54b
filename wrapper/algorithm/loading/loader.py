"""Loads the user's module and finds the functions that run a task."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import AlgorithmStopped, LoadError
from .entry_point import EntryPoint, find_file, read_source
from .functions import UserFunctions, functions_of, given_functions
from .importing import import_file, put_on_path
from .name_clash import check_own_wrapper

__all__ = ["EntryPoint", "UserAlgorithm", "from_functions", "load"]


class UserAlgorithm(NamedTuple):
    """The user's functions, adapted so that each is always called in the same way.

    Attributes:
        start: called with (data, HKubeApi); may return an awaitable.
        initialize: called with the job's data; the user's ``initialize`` or ``init``.
        stop: called with the data of the stop message.
        exit: called with the data of the exit message.
        folder: the module's folder, which is the working directory.
        remarks: sentences for the log, about functions that have the right name but are not called.
        base: the algorithm's folder, which contains all of the user's files.
    """

    start: Callable[[Any, Any], Any]
    initialize: Callable[[Any], Any] | None
    stop: Callable[[Any], Any] | None
    exit: Callable[[Any], Any] | None
    folder: Path
    remarks: tuple[str, ...] = ()
    base: Path | None = None


def load(entry: EntryPoint) -> UserAlgorithm:
    """Import the user's module and find its functions.

    The module's folder becomes the working directory. That folder and the algorithm's folder are
    put first in ``sys.path``.

    Raises:
        LoadError: there is no usable ``start``. Its text says in one sentence why, whatever the
            module raised.
    """
    base = os.path.abspath(entry.base)
    file = find_file(entry)
    folder = os.path.dirname(file)
    source = read_source(file, base)
    check_own_wrapper(file, base)
    put_on_path(folder, base)
    _enter(folder)
    try:
        module = import_file(file, base, source)
        functions = functions_of(module, os.path.relpath(file, base), source)
    except (AlgorithmStopped, LoadError):
        raise
    except BaseException as error:  # the user's code may raise anything, even SystemExit
        from .import_errors import explain

        failure = explain(error, file, base)
    else:
        return _algorithm(functions, folder, base)
    raise failure  # raised here, so that it does not keep the user's frames alive


def from_functions(
    start: Any, initialize: Any = None, stop: Any = None, exit: Any = None
) -> UserAlgorithm:
    """Use functions that the user's script passes.

    Raises:
        LoadError: one of them cannot be called with the arguments that it would receive.
    """
    functions = given_functions(start=start, initialize=initialize, stop=stop, exit=exit)
    return _algorithm(functions, os.getcwd(), os.getcwd())


def _enter(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise LoadError(f"cannot enter the folder {folder}: {error.strerror}") from None


def _algorithm(functions: UserFunctions, folder: str, base: str) -> UserAlgorithm:
    return UserAlgorithm(
        start=functions.start,
        initialize=functions.initialize,
        stop=functions.stop,
        exit=functions.exit,
        folder=Path(folder),
        remarks=functions.remarks,
        base=Path(base),
    )
