"""What is said of a failure of the user's code.

Apart from `report`, which makes it of an exception: that is imported once something has failed.
"""

from __future__ import annotations

from typing import NamedTuple


class FailureReport(NamedTuple):
    """What is said of a failure.

    Attributes:
        code: short name of the kind of failure.
        message: ``Type: text (file:line, in function)``; all that HKube shows of it.
        details: the user's frames, with source lines.
    """

    code: str
    message: str
    details: str
