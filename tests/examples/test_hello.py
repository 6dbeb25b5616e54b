"""examples/hello: the smallest algorithm."""

from __future__ import annotations

from .conftest import Run


def test_readme_shows_the_actual_output(run_readme: Run) -> None:
    (session,) = run_readme("examples/hello/README.md")
    session.check()
    assert session.code == 0
    assert session.results == [{"greeting": "Hello, HKube!"}]
