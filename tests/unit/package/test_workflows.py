"""GitHub's workflows: actions by hash, few permissions, limits, and the commands exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.paths import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")
MAY_WRITE = {"id-token": {"publish", "images", "deploy"}, "pages": {"deploy"}}


def jobs(file: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from yaml.safe_load(file.read_text())["jobs"].items()


def test_the_workflows_are_these() -> None:
    assert [file.stem for file in FILES] == ["docs", "release", "tests"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_actions_are_named_by_hash_and_version(file: Any) -> None:
    for line in file.read_text().splitlines():
        if "uses:" in line and "uses: ./" not in line:
            action, _, version = line.partition("uses: ")[2].partition(" # ")
            assert PINNED.fullmatch(action), line
            assert re.fullmatch(r"v\d+\.\d+\.\d+", version), line


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_jobs_may_write_only_what_they_publish_and_have_a_time_limit(file: Any) -> None:
    assert yaml.safe_load(file.read_text())["permissions"] == {"contents": "read"}
    for name, job in jobs(file):
        for what, access in job.get("permissions", {}).items():
            assert access == "read" or name in MAY_WRITE[what], name
        assert "uses" in job or job["timeout-minutes"] <= 120, name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_checkouts_leave_no_token_behind(file: Any) -> None:
    steps = [step for _, job in jobs(file) for step in job.get("steps", ())]
    for step in steps:
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


def test_make_targets_of_the_workflows_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    commands = [
        target
        for file in FILES
        for _, job in jobs(file)
        for step in job.get("steps", ())
        if str(step.get("run", "")).startswith("make ")
        for target in step["run"].split()[1:]
    ]
    assert len(commands) > 5
    phony = re.findall(r"^([\w-]+):", makefile, re.MULTILINE)
    assert {target for target in commands if target not in {*phony, ".venv/.installed"}} == set()


def test_nothing_is_published_before_the_tests() -> None:
    release = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
    assert release["build"]["needs"] == "tests"
    assert release["publish"]["needs"] == "build"
    assert set(release["images"]["needs"]) == {"build", "publish"}
