"""One finding of `check`: a sentence and how serious it is."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ...text.redaction import redacted


class FindingStatus(enum.Enum):
    """How serious a finding is; the values appear in the JSON."""

    FINE = "fine"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that `check` found.

    Attributes:
        status: WRONG will fail in HKube; NOTE may surprise the user there.
        topic: one of `TOPICS`.
        text: one sentence on one line.
    """

    status: FindingStatus
    topic: str
    text: str


TOPICS = ("algorithm", "module", "functions", "packages", "python", "folder")


def fine(topic: str, text: str) -> Finding:
    """Report something that is as it should be."""
    return Finding(FindingStatus.FINE, topic, redacted(text))


def note(topic: str, text: str) -> Finding:
    """Report something that the user should know."""
    return Finding(FindingStatus.NOTE, topic, redacted(text))


def wrong(topic: str, text: str) -> Finding:
    """Report something that the user must fix."""
    return Finding(FindingStatus.WRONG, topic, redacted(text))
