"""examples/async_algorithm: an `async def start` that awaits calls."""

from __future__ import annotations

from .conftest import Run


def test_readme_shows_the_actual_output(run_readme: Run) -> None:
    (session,) = run_readme("examples/async_algorithm/README.md")
    session.check()
    assert session.code == 0
    assert session.results == [{"mean": 3.0, "maximum": 6}]
