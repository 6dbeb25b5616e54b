"""The image's own files agree with the package that they start."""

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


def commands_of_the_entrypoint() -> set[str]:
    """Return the commands that entrypoint.sh passes to hkube-wrapper."""
    cases = re.findall(r"^    ([\w |*-]+)\)\n(.*?);;", ENTRYPOINT, re.MULTILINE | re.DOTALL)
    ours = [labels for labels, body in cases if "exec hkube-wrapper" in body]
    return {label for labels in ours for label in labels.replace(" ", "").split("|")}


def test_entrypoint_knows_every_command() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]

    assert commands <= commands_of_the_entrypoint()


@pytest.fixture
def entrypoint(tmp_path: Path) -> list[str]:
    """entrypoint.sh as a command; the hkube-wrapper on its PATH prints its arguments."""
    fake_wrapper = tmp_path / "with space" / "hkube-wrapper"
    fake_wrapper.parent.mkdir()
    fake_wrapper.write_text('#!/bin/sh\necho "the wrapper: $*"\n')
    fake_wrapper.chmod(0o755)
    (tmp_path / "notes").write_text("no program")
    path = f"{fake_wrapper.parent}:{tmp_path}:/usr/bin:/bin"
    return ["env", f"PATH={path}", shutil.which("sh") or "sh", str(ROOT / "entrypoint.sh")]


@pytest.mark.parametrize(
    "word",
    ["chekc", "serve", "worker", "is_program", "cd", "exit", "if", "notes", "/no/such", "/", "*"],
)
def test_anything_but_a_program_goes_to_the_wrapper(entrypoint: list[str], word: str) -> None:
    """The wrapper reports it. Keywords, functions and builtins of the shell are not programs."""
    shown = subprocess.run([*entrypoint, word, "x"], check=True, capture_output=True, timeout=30)

    assert shown.stdout.decode() == f"the wrapper: {word} x\n"


@pytest.mark.parametrize("command", [["echo"], ["/bin/echo"], ["sh", "-c", 'echo "$1"', "sh"]])
def test_program_is_run(entrypoint: list[str], command: list[str]) -> None:
    shown = subprocess.run(
        [*entrypoint, *command, "a  b"], check=True, capture_output=True, timeout=30
    )
    assert shown.stdout == b"a  b\n"


def test_program_is_run_by_its_path(entrypoint: list[str], tmp_path: Path) -> None:
    (tmp_path / "with space" / "mine").write_text("#!/bin/sh\necho mine\n")
    (tmp_path / "with space" / "mine").chmod(0o755)
    shown = subprocess.run(
        [*entrypoint, "with space/mine"], check=True, capture_output=True, cwd=tmp_path, timeout=30
    )
    assert shown.stdout == b"mine\n"


def test_image_has_the_version_of_the_package() -> None:
    assert f"ARG VERSION={wrapper.__version__}\n" in DOCKERFILE


def test_package_supports_the_images_python() -> None:
    [version] = re.findall(r"^ARG PYTHON_VERSION=(\S+)$", DOCKERFILE, re.MULTILINE)

    assert f"Python :: {version}" in (ROOT / "pyproject.toml").read_text()


def test_dockerignore_admits_exactly_what_the_dockerfile_copies() -> None:
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = {
        source.partition("/")[0]
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert copied == allowed
