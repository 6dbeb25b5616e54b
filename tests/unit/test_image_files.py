"""The image's own files, held against the package that they start."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

import wrapper
from wrapper.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
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
