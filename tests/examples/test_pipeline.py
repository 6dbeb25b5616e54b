"""examples/pipeline: a run that succeeds, one that fails, and one with answers from a file."""

from __future__ import annotations

from .conftest import Run


def test_readme_shows_the_actual_output(run_readme: Run) -> None:
    worked, failed, answered = run_readme("examples/pipeline/README.md")
    worked.check()
    assert worked.code == 0
    assert worked.results[0][0]["result"] == {"words": 6, "longest": "not"}
    failed.check()
    assert (failed.code, failed.stdout) == (1, "")
    answered.check()
    assert answered.code == 0
    assert answered.results[0][0]["result"] == {"words": 6, "longest": "to"}
