"""The README and docs/: the first example works, and all links have a target."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import ROOT, Run

PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
TEXTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/*.md")]


def test_first_example_works(run_readme: Run, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = PYTHON.search(text)
    assert first is not None
    (tmp_path / "main.py").write_text(first[1], encoding="utf-8")
    worked, failed = run_readme("README.md", tmp_path)
    worked.check()
    assert (worked.code, worked.results) == (0, [{"mean": 3.0}])
    failed.check()
    assert (failed.code, failed.stdout) == (1, "")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_has_a_target(path: Path) -> None:
    targets = LINK.findall(path.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (path.parent / target).exists()]
    assert not missing


def test_every_make_target_exists() -> None:
    named = re.findall(r"`make (\w+)`", (ROOT / "README.md").read_text(encoding="utf-8"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []
