"""Describes a failure of the user's code.

Separate from `report`, which makes this from an exception and is imported only after a failure.
"""

from __future__ import annotations

from typing import NamedTuple


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
