"""Notes about odd progress values."""

from __future__ import annotations

from typing import Any

import pytest

from wrapper.local.show.progress_note import ProgressNote


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([], None),
        ([0, 50, 100.0], None),
        ([0.5], None),
        ([0.5, 50], None),
        ([0.25, 0.5, 1], "progress never went above 1; it is a percentage: report 50, not 0.5"),
        ([50, 150, -1], "progress 150 is outside 0 to 100, which HKube shows"),
        ([float("nan")], "progress nan is outside 0 to 100, which HKube shows"),
        (["half"], 'progress "half" is not a number; HKube shows 0 to 100'),
        ([True], "progress true is not a number; HKube shows 0 to 100"),
    ],
)
def test_note(values: list[Any], note: str | None) -> None:
    progress = ProgressNote()
    for value in values:
        progress.add(value)
    assert progress.text() == note
