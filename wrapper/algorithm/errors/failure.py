"""Describes a failure of the user's code.

Separate from `report`, which makes this from an exception and is imported only after a failure.
"""

from __future__ import annotations

from typing import NamedTuple

_LONGEST = 10_000  # characters


class FailureReport(NamedTuple):
    """The description of a failure.

    Attributes:
        code: short name for the kind of failure.
        message: ``Type: text (file:line, in function)``; the only part that HKube shows.
        details: the user's frames, with source lines.
    """

    code: str
    message: str
    details: str


def bare_report(error: BaseException, code: str = "AlgorithmError") -> FailureReport:
    """Describe an exception without what user code may have broken: imports, builtins, files."""
    name = type(error).__name__
    try:
        text = f"{error}"
        return FailureReport(code, f"{name}: {text}"[:_LONGEST] if text else name, "")
    except Exception:  # the user's __str__ can raise anything
        return FailureReport(code, name, "")
