"""docs/package.md, as it has it."""

from __future__ import annotations

from .conftest import ROOT, Run

PAGE = "docs/package.md"


def test_check(run_readme: Run) -> None:
    (session,) = run_readme(PAGE, ROOT, "check")
    session.check()
    assert session.code == 0
