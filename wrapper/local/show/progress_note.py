"""Notices progress values that HKube would not show as the algorithm means them."""

from __future__ import annotations

import json
from typing import Any, final

from ...text.printed_json import printable


@final
class ProgressNote:
    """Looks at the progress values of a task."""

    def __init__(self) -> None:
        self._count = 0
        self._are_small = True
        self._odd: str | None = None

    def add(self, value: Any) -> None:
        """Look at a value."""
        self._count += 1
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            text = json.dumps(value, ensure_ascii=False, default=printable)[:60]
            self._odd = self._odd or f"progress {text} is not a number; HKube shows 0 to 100"
        elif not 0 <= value <= 100:
            self._odd = self._odd or f"progress {value:g} is outside 0 to 100, which HKube shows"
        elif value > 1:
            self._are_small = False

    def text(self) -> str | None:
        """Return what is odd about the values; None if they are fine."""
        if self._odd is None and self._count > 1 and self._are_small:
            return "progress never went above 1; it is a percentage: report 50, not 0.5"
        return self._odd
