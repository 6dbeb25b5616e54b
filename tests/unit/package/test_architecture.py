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


UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
# 1 MiB (`TRUSTED_BYTES`), at most 1,024 (`_MAX_CONNECTIONS`), 30 s (`REPLY_WITHIN`)
LIMIT = re.compile(r"([\d,]+)(?: (KiB|MiB|GiB|s|files|tasks|behind it))?(?: each)? \(`(\w+)`\)")
CONSTANT = re.compile(r"^(_?[A-Z][A-Z_]+)(?:: [\w.]+)? = ([\d_. *+<]+)(?:  #.*)?$", re.MULTILINE)


def table_of_limits() -> str:
    page = (ROOT / ARCHITECTURE).read_text(encoding="utf-8")
    return page.split("\n## Limits\n")[1].split("\n## ")[0]


def constants_of_the_source() -> dict[str, set[float]]:
    values: dict[str, set[float]] = {}
    for path in (ROOT / "wrapper").rglob("*.py"):
        for name, value in CONSTANT.findall(path.read_text(encoding="utf-8")):
            values.setdefault(name, set()).add(eval(value))
    return values


def test_limits_are_those_of_the_source() -> None:
    source = constants_of_the_source()
    limits = [
        (name, int(number.replace(",", "")) * UNITS.get(unit, 1))
        for number, unit, name in LIMIT.findall(table_of_limits())
        if name in source  # not one that is computed from others
    ]

    assert len(limits) > 12
    assert [(name, limit) for name, limit in limits if limit not in source[name]] == []


def test_every_name_in_the_table_of_limits_is_in_the_source() -> None:
    names = set(re.findall(r"`(_?[A-Z][A-Z_]+)`", table_of_limits()))
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "wrapper").rglob("*.py")
    )

    assert len(names) > 15
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", source)] == []
