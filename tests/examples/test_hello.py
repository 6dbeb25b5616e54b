"""examples/hello, as its README has it."""

from __future__ import annotations

from .conftest import Run


def test_the_readme_shows_what_comes(run_readme: Run) -> None:
    (session,) = run_readme("examples/hello/README.md")
    session.check()
    assert session.code == 0
    assert session.results == [{"greeting": "Hello, HKube!"}]
