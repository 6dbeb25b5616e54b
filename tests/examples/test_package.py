"""The commands in docs/package.md."""

from __future__ import annotations

from pathlib import Path

from .conftest import ROOT, Run

PAGE = "docs/package.md"


def test_init(run_readme: Run, tmp_path: Path) -> None:
    (session,) = run_readme(PAGE, tmp_path, "init")
    session.check()
    assert session.code == 0


def test_check(run_readme: Run) -> None:
    (session,) = run_readme(PAGE, ROOT, "check")
    session.check()
    assert session.code == 0


def test_build_print(run_readme: Run) -> None:
    (session,) = run_readme(PAGE, ROOT, "build examples/stateful")
    assert session.stdout.splitlines() == session.shown
    assert session.code == 0
