"""The figures that the rows return, their goals, and the table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A goal.

    Attributes:
        text: for the table.
        of_ratio: held against wrapper ÷ floor, not against the wrapper's own value.
        is_met: whether a number is good enough.
    """

    text: str
    of_ratio: bool
    is_met: Callable[[float], bool]


def ratio_at_most(limit: float) -> Goal:
    """At most this many times the floor."""
    return Goal(f"≤ {limit:g} × floor", True, lambda ratio: ratio <= limit)


def ratio_at_least(limit: float) -> Goal:
    """At least this many times the floor."""
    return Goal(f"≥ {limit:g} × floor", True, lambda ratio: ratio >= limit)


def at_most(limit: float) -> Goal:
    """At most this value, whatever the floor's is."""
    return Goal(f"≤ {limit:g}", False, lambda value: value <= limit)


def at_least(limit: float) -> Goal:
    """At least this value, whatever the floor's is."""
    return Goal(f"≥ {limit:,.0f}", False, lambda value: value >= limit)


def no_goal() -> Goal:
    """No goal: the figure is for information."""
    return Goal("–", False, lambda value: True)


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        title: what was measured.
        unit: of the values.
        samples: of each contender, in the order they were taken: the first of the floor was
            taken just before the first of the wrapper, and so on.
        goal: what is to be reached.
    """

    title: str
    unit: str
    samples: dict[str, list[float]]
    goal: Goal

    def value(self, name: str) -> float:
        """The median of a contender's samples."""
        return statistics.median(self.samples[name])

    def ratio(self) -> float | None:
        """Wrapper ÷ floor: the median over the pairs, so that slow moments affect both."""
        pairs = zip(self.samples["wrapper"], self.samples["floor"], strict=True)
        ratios = [wrapper / floor for wrapper, floor in pairs if floor]
        return statistics.median(ratios) if ratios else None

    def is_met(self) -> bool:
        """Whether the goal is reached."""
        if not self.goal.of_ratio:
            return self.goal.is_met(self.value("wrapper"))
        ratio = self.ratio()
        return ratio is not None and self.goal.is_met(ratio)


HEADER = """\
| what | floor | wrapper | ratio | reach | met | `python -m benchmarks` |
|---|--:|--:|--:|---|---|---|
"""


def table(rows: Iterable[tuple[str, list[Figure]]]) -> str:
    """Format all figures as a Markdown table.

    Args:
        rows: the command's arguments that made the figures, and the figures.
    """
    lines = [line_of(command, figure) for command, figures in rows for figure in figures]
    return HEADER + "".join(lines)


def line_of(command: str, figure: Figure) -> str:
    """Format one figure's line."""
    ratio = figure.ratio()
    cells = (
        figure.title,
        number(figure.value("floor"), figure.unit),
        number(figure.value("wrapper"), figure.unit),
        "" if ratio is None else f"{ratio:.2f}",
        figure.goal.text,
        "yes" if figure.is_met() else "**no**",
        f"`{command}`",
    )
    return "| " + " | ".join(cells) + " |\n"


def number(value: float, unit: str) -> str:
    """Format a value with about three digits and its unit."""
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f} {unit}".rstrip()
