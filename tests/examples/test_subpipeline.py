"""examples/subpipeline: calls that succeed, and one that fails."""

from __future__ import annotations

from .conftest import Run


def test_readme_shows_the_actual_output(run_readme: Run) -> None:
    answered, failed = run_readme("examples/subpipeline/README.md")
    answered.check()
    assert answered.results == [{"price": 12.5, "in stock": 3}]
    failed.check()
    assert failed.code == 0
    assert failed.results == [
        {"price": 12.5, "in stock": "unknown: the stock database does not answer"}
    ]
