"""The image's own files, held against the package that they start."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

import wrapper
from tests.paths import ROOT
from wrapper.cli.app import app

ENTRYPOINT = (ROOT / "entrypoint.sh").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def words_of_the_entrypoint() -> set[str]:
    """The command words that entrypoint.sh hands to hkube-wrapper."""
    cases = re.findall(r"^    ([\w |*-]+)\)\n(.*?);;", ENTRYPOINT, re.MULTILINE | re.DOTALL)
    ours = [labels for labels, body in cases if "exec hkube-wrapper" in body]
    return {label for labels in ours for label in labels.replace(" ", "").split("|")}


def test_the_entrypoint_knows_every_command() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]

    assert commands <= words_of_the_entrypoint()


@pytest.fixture
def entrypoint(tmp_path: Path) -> list[str]:
    """entrypoint.sh as a command, with a PATH that has an hkube-wrapper which says its words."""
    wrapper_there = tmp_path / "with space" / "hkube-wrapper"
    wrapper_there.parent.mkdir()
    wrapper_there.write_text('#!/bin/sh\necho "the wrapper: $*"\n')
    wrapper_there.chmod(0o755)
    (tmp_path / "notes").write_text("no program")
    path = f"{wrapper_there.parent}:{tmp_path}:/usr/bin:/bin"
    return ["env", f"PATH={path}", shutil.which("sh") or "sh", str(ROOT / "entrypoint.sh")]


@pytest.mark.parametrize(
    "word", ["chekc", "serve", "is_program", "cd", "exit", "if", "notes", "/no/such", "/", "*"]
)
def test_what_is_no_program_goes_to_the_wrapper(entrypoint: list[str], word: str) -> None:
    """Which says so; the shell's own words, functions and builtins, are no programs."""
    shown = subprocess.run([*entrypoint, word, "x"], check=True, capture_output=True, timeout=30)

    assert shown.stdout.decode() == f"the wrapper: {word} x\n"


@pytest.mark.parametrize("command", [["echo"], ["/bin/echo"], ["sh", "-c", 'echo "$1"', "sh"]])
def test_a_program_is_run(entrypoint: list[str], command: list[str]) -> None:
    shown = subprocess.run(
        [*entrypoint, *command, "a  b"], check=True, capture_output=True, timeout=30
    )
    assert shown.stdout == b"a  b\n"


def test_a_program_of_the_folder_is_run_by_its_path(entrypoint: list[str], tmp_path: Path) -> None:
    (tmp_path / "with space" / "mine").write_text("#!/bin/sh\necho mine\n")
    (tmp_path / "with space" / "mine").chmod(0o755)
    shown = subprocess.run(
        [*entrypoint, "with space/mine"], check=True, capture_output=True, cwd=tmp_path, timeout=30
    )
    assert shown.stdout == b"mine\n"


def test_the_image_has_the_version_of_the_package() -> None:
    assert f"ARG VERSION={wrapper.__version__}\n" in DOCKERFILE


def test_the_image_s_pythons_are_those_of_the_package() -> None:
    [version] = re.findall(r"^ARG PYTHON_VERSION=(\S+)$", DOCKERFILE, re.MULTILINE)

    assert f"Python :: {version}" in (ROOT / "pyproject.toml").read_text()


def test_all_that_the_dockerfile_copies_gets_through_dockerignore() -> None:
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = {
        source.partition("/")[0]
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert copied == allowed
