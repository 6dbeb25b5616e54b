"""The lock files pin what the requirements files ask for, with hashes, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.paths import ROOT

# Each lock file and its source.
LOCKS = {
    "requirements.lock": "requirements.txt",
    "image/slim.lock": "image/slim.txt",
    "image/build.lock": "image/build.txt",
}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
REFRESH = "is stale: run `make lock`"


class Entry(NamedTuple):
    """One package of a lock file.

    Attributes:
        requirement: name, exact version and environment marker.
        hashes: number of hashes.
        wanted_by: packages or requirements files that ask for it.
    """

    requirement: Requirement
    hashes: int
    wanted_by: frozenset[str]


def requirements(file: str) -> list[Requirement]:
    """Return the requirements of a file."""
    lines = [line.partition(" #")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def entries(file: str) -> Iterator[Entry]:
    """Yield the packages of a lock file."""
    for block in re.split(r"\n(?=\w)", (ROOT / file).read_text()):
        if block.startswith("#"):
            continue
        wanted_by = re.findall(r"^    # (?:via |  )(\S.*)$", block, re.MULTILINE)
        yield Entry(
            Requirement(block.partition(" \\\n")[0]),
            block.count("--hash=sha256:"),
            frozenset(wanted_by),
        )


@pytest.mark.parametrize("lock", LOCKS)
def test_each_package_is_pinned_and_hashed(lock: str) -> None:
    found = list(entries(lock))

    assert found
    for entry in found:
        assert re.fullmatch(r"==[^*,]+", str(entry.requirement.specifier)), entry
        assert entry.hashes, entry


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_all_requirements(lock: str, python: str) -> None:
    versions = {
        canonicalize_name(entry.requirement.name): str(entry.requirement.specifier)[2:]
        for entry in entries(lock)
        if _holds(entry.requirement, python)
    }
    for wanted in requirements(LOCKS[lock]):
        if _holds(wanted, python):
            name = canonicalize_name(wanted.name)
            assert name in versions, f"{lock} {REFRESH} ({name} is missing)"
            fits = wanted.specifier.contains(versions[name], prereleases=True)
            assert fits, f"{lock} {REFRESH} ({wanted}, and not {versions[name]})"


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_nothing_else(lock: str) -> None:
    asked = {canonicalize_name(each.name) for each in requirements(LOCKS[lock])}
    for entry in entries(lock):
        if f"-r {LOCKS[lock]}" in entry.wanted_by:
            name = canonicalize_name(entry.requirement.name)
            assert name in asked, f"{lock} {REFRESH} (nothing asks for {name} any more)"
        else:
            assert entry.wanted_by, entry


def test_slim_is_a_subset() -> None:
    whole = {canonicalize_name(each.name) for each in requirements("requirements.txt")}
    slim = {canonicalize_name(each.name) for each in requirements("image/slim.txt")}
    pinned = {str(entry.requirement) for entry in entries("requirements.lock")}

    assert slim < whole
    assert {str(entry.requirement) for entry in entries("image/slim.lock")} < pinned, REFRESH


def _holds(requirement: Requirement, python: str) -> bool:
    """Return whether a requirement applies on Linux with this Python."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.5",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
        "platform_system": "Linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    return requirement.marker is None or requirement.marker.evaluate(environment)
