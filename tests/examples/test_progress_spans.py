"""examples/progress_spans: progress and nested spans reach the worker in order."""

from __future__ import annotations

from .conftest import Run


def test_readme_shows_the_actual_output(run_readme: Run) -> None:
    (session,) = run_readme("examples/progress_spans/README.md")
    session.check()
    assert session.code == 0
    assert session.results == [60]
    lines = session.stderr.splitlines()
    assert sum("] progress " in line for line in lines) == 3
    assert [line.split()[-4:-2] for line in lines if " one " in line] == [
        ["├─", "one"],
        ["├─", "one"],
        ["└─", "one"],
    ]
