"""examples/progress_spans: progress and nested spans reach the worker in order."""

from __future__ import annotations

from .conftest import Run


def test_the_readme_shows_what_comes(run_readme: Run) -> None:
    (session,) = run_readme("examples/progress_spans/README.md")
    session.check()
    assert session.code == 0
    assert session.results == [60]
    words = [line.split()[1] for line in session.stderr.splitlines()[1:-1]]
    assert words == ["span", *["span", "span", "progress"] * 3, "span"]
