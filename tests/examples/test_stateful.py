"""examples/stateful: two tasks, and the model is loaded once."""

from __future__ import annotations

from .conftest import Run


def test_readme_shows_the_actual_output(run_readme: Run) -> None:
    (session,) = run_readme("examples/stateful/README.md")
    session.check()
    assert session.code == 0
    assert session.results == [[3, -3], [1]]
    assert session.stderr.count("model loaded") == 1
