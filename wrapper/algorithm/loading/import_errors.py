"""Explains in one sentence why the user's module could not be imported."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from types import ModuleType

from ...errors import LoadError
from ..errors.excerpt import MAX_LINE_LENGTH
from ..errors.failure import FailureReport
from ..errors.import_circle import import_circle
from ..errors.report import report_exception
from ..errors.user_frames import Files, Owner, UserFrame, cause, is_inside
from .missing_module import Importer, missing_module, missing_name

UNICODE_ERROR = "(unicode error) 'utf-8' codec"


@dataclass(frozen=True)
class _Failure:
    error: BaseException
    entry: str  # the user's module, as shown
    files: Files
    frames: list[UserFrame]
    report: FailureReport

    @property
    def place(self) -> str:
        blamed = cause(self.frames)
        return blamed.place if blamed else self.entry

    @property
    def spot(self) -> str:
        blamed = cause(self.frames)
        return blamed.spot if blamed else self.entry


def explain(error: BaseException, file: str, base: str) -> LoadError:
    """Say why a module could not be imported.

    Args:
        error: what the import raised.
        file: absolute path of the user's module.
        base: absolute path of the algorithm's folder.
    """
    files = Files(base)
    frames = files.frames(error.__traceback__)
    report = report_exception(error, LoadError.code, base)
    failure = _Failure(error, files.shown(file), files, frames, report)
    try:
        sentence = _sentence(failure, Importer(file, base))
    except Exception:  # for unusual exceptions, the plain report still holds
        sentence = f"{failure.entry} cannot be imported: {report.message}"
    return LoadError(sentence.encode("utf-8", "backslashreplace").decode(), report.details)


def _sentence(failure: _Failure, importer: Importer) -> str:
    error = failure.error
    if isinstance(error, ModuleNotFoundError) and error.name:
        return missing_module(error, failure.frames, importer)
    if isinstance(error, SyntaxError):
        return _syntax_error(failure, error)
    if isinstance(error, SystemExit):
        return _system_exit(failure, error)
    if isinstance(error, KeyboardInterrupt):
        return f"the import of {failure.entry} was interrupted ({failure.place})"
    if isinstance(error, ImportError):
        sentence = _import_error(failure, error, importer)
    elif isinstance(error, ValueError) and "null bytes" in str(error):  # until Python 3.11
        sentence = f"{failure.spot} imports a file that holds null bytes"
    else:
        sentence = f"{failure.entry} cannot be imported: {failure.report.message}"
    return sentence + _hiding_file(failure)


def _syntax_error(failure: _Failure, error: SyntaxError) -> str:
    if error.lineno is None or not error.filename:
        if "null bytes" in str(error.msg):
            return f"{failure.spot} imports a file that holds null bytes"
        return f"{failure.entry} cannot be imported: {failure.report.message}"
    if error.filename.startswith("<"):
        return f"{failure.entry} cannot be imported: {failure.report.message}"
    name = failure.files.shown(error.filename)
    place = f"{name}:{error.lineno}" if error.lineno else name
    if str(error.msg).startswith(UNICODE_ERROR):
        return (
            f"{place} is not UTF-8: save the file as UTF-8, or name its encoding"
            " in its first line (# -*- coding: latin-1 -*-)"
        )
    text = (error.text or "").strip()
    line = f": {text}" if text and len(text) <= MAX_LINE_LENGTH else ""
    return f"{place} is not valid Python: {error.msg}{line}"


def _system_exit(failure: _Failure, error: SystemExit) -> str:
    code = "" if error.code is None else repr(error.code)
    return (
        f"{failure.entry} ends the process when it is imported: sys.exit({code})"
        f" ({failure.place}); put the script's code under if __name__ == '__main__':"
    )


def _import_error(failure: _Failure, error: ImportError, importer: Importer) -> str:
    text = str(error)
    if "no known parent package" in text or "beyond top-level package" in text:
        return (
            f"{failure.spot}: a relative import (from . import ...) leads outside the packages"
            " that Python knows; import by the name from the algorithm's folder instead"
        )
    circle = import_circle(error, failure.frames)
    if circle is not None:
        return f"{failure.spot}: {circle}"
    if error.name and text.startswith("cannot import name"):
        return missing_name(error, failure.spot, importer)
    message = f"{failure.entry} cannot be imported: {failure.report.message}"
    if "libGL.so" in text:
        return f"{message}; use opencv-python-headless in requirements.txt, which needs no display"
    return message


def _hiding_file(failure: _Failure) -> str:
    """Name a user's file that hides a standard module; empty if none does."""
    names = [_module_file(failure.error)]
    # If a library runs a file of the algorithm while it is imported, it meant another file.
    for outer, inner in zip(failure.frames, failure.frames[1:], strict=False):
        if outer.owner is Owner.LIBRARY and inner.owner is Owner.ALGORITHM:
            names.append(inner.path)
    for path in names:
        if not path or not is_inside(path, failure.files.folder):
            continue
        module = os.path.basename(path).partition(".")[0]
        if module in sys.stdlib_module_names:
            shown = failure.files.shown(path)
            return f"; {shown} hides Python's own module '{module}': rename it"
    return ""


def _module_file(error: BaseException) -> str:
    """The file of the module that lacked the name of an ImportError or AttributeError."""
    if isinstance(error, ImportError):
        return str(error.path or "")
    owner = getattr(error, "obj", None)
    if isinstance(error, AttributeError) and isinstance(owner, ModuleType):
        return str(getattr(owner, "__file__", None) or "")
    return ""
