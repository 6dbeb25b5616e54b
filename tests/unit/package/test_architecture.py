"""The paths in docs/architecture.md and CONTRIBUTING.md exist; no folder is missing."""

from __future__ import annotations

import re

import pytest

from tests.paths import ROOT

NAMED_PATH = re.compile(
    r"`((?:wrapper|hkube_python_wrapper|image|tests|docs|examples|\.ci)(?:/[\w./-]*)?)`"
)
ARCHITECTURE = "docs/architecture.md"
FOLDERS = sorted(
    path.parent.relative_to(ROOT).as_posix()
    for path in (ROOT / "wrapper").rglob("__init__.py")
    if path.parent != ROOT / "wrapper"
)


def named_paths(page: str) -> list[str]:
    return NAMED_PATH.findall((ROOT / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [ARCHITECTURE, "CONTRIBUTING.md"])
def test_every_named_path_exists(page: str) -> None:
    paths = named_paths(page)

    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_folder_of_the_package_is_explained() -> None:
    named = {path.rstrip("/") for path in named_paths(ARCHITECTURE)}
    # A folder that only groups others is explained by them.
    groups = {folder for folder in FOLDERS if any(path.startswith(f"{folder}/") for path in named)}

    assert [folder for folder in FOLDERS if folder not in named | groups] == []
