"""Pages and files that name this project's version name the current one."""

from __future__ import annotations

import re

from tests.paths import ROOT
from wrapper import __version__

NAMED = re.compile(
    r"(?:hkube/python-wrapper:|hkube-wrapper==|hkube_wrapper-|hkube-wrapper build |--annotate v)"
    r"(\d+\.\d+\.\d+)"
)
FILES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "RELEASING.md", "deploy/pod.yaml")]


def test_every_page_names_the_current_version() -> None:
    found = {
        (file.name, version)
        for file in (*FILES, *sorted((ROOT / "docs").glob("*.md")))
        for version in NAMED.findall(file.read_text(encoding="utf-8"))
    }
    assert len(found) > 5
    assert {each for each in found if each[1] != __version__} == set()


def test_changelog_begins_with_the_current_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == __version__
