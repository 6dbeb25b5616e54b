"""examples/pipeline: a pipeline that works, one that fails, and one that is answered by a file."""

from __future__ import annotations

from .conftest import Run


def test_the_readme_shows_what_comes(run_readme: Run) -> None:
    worked, failed, answered = run_readme("examples/pipeline/README.md")
    worked.check()
    assert worked.code == 0
    assert worked.results[0][0]["result"] == {"words": 6, "longest": "not"}
    failed.check()
    assert (failed.code, failed.stdout) == (1, "")
    answered.check()
    assert answered.code == 0
    assert answered.results[0][0]["result"] == {"words": 6, "longest": "to"}
