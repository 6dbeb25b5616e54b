"""One thing that `check` has found."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class FindingStatus(enum.Enum):
    """How much it matters; the value stands in the JSON."""

    FINE = "fine"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """A sentence with its weight.

    Attributes:
        status: WRONG is what will fail in HKube, NOTE is what may surprise there.
        topic: what it is about: one of `TOPICS`.
        text: one line.
    """

    status: FindingStatus
    topic: str
    text: str


TOPICS = ("algorithm", "module", "functions", "packages", "python", "folder")


def fine(topic: str, text: str) -> Finding:
    """Something that is as it should be."""
    return Finding(FindingStatus.FINE, topic, text)


def note(topic: str, text: str) -> Finding:
    """Something to know."""
    return Finding(FindingStatus.NOTE, topic, text)


def wrong(topic: str, text: str) -> Finding:
    """Something that must be mended."""
    return Finding(FindingStatus.WRONG, topic, text)
