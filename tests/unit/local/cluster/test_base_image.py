"""Which base images HKube's builder can build on, and which wrapper will run the algorithm."""

from __future__ import annotations

from pathlib import Path

import pytest

from wrapper import __version__
from wrapper.local.cluster.base_image import judge_base

OWN = f"hkube/python-wrapper:{__version__}"


def judge(folder: Path, base: str | None, requirements: str = "", command: str = "") -> str:
    """Return `problem: …`, `note: …`, or nothing."""
    (folder / "requirements.txt").write_text(requirements)
    verdict = judge_base({"baseImage": base, "dependencyInstallCmd": command}, folder)
    assert not (verdict.problem and verdict.note)
    kind = "problem" if verdict.problem else "note"
    return f"{kind}: {verdict.problem or verdict.note}".removesuffix("note: ")


@pytest.mark.parametrize(
    "base", [OWN, "registry.example.com/team/base:1", "tensorflow/tensorflow:2", "my-python:3.12"]
)
@pytest.mark.parametrize("requirements", ["", "hkube-wrapper\n"])
def test_other_images_are_their_maker_s_affair(
    tmp_path: Path, base: str, requirements: str
) -> None:
    assert judge(tmp_path, base, requirements) == ""


@pytest.mark.parametrize(
    "base",
    [
        "python:3.11",
        "python:3.12-slim",
        "docker.io/library/python:3.13.1-slim",
        "r:5000/python:3.14",
    ],
)
@pytest.mark.parametrize("requirements", ["", "hkube-wrapper\n"])
def test_newer_python_is_refused(tmp_path: Path, base: str, requirements: str) -> None:
    said = judge(tmp_path, base, requirements)
    assert said.startswith(f"problem: baseImage {base}: HKube's builder first installs the publ")
    assert f"use {OWN}" in said


@pytest.mark.parametrize("base", ["python:3.8", "python:3.9-slim", None, ""])
def test_older_python_and_hkube_s_default_cannot_install_this_wrapper(
    tmp_path: Path, base: str | None
) -> None:
    said = judge(tmp_path, base, "hkube_wrapper>=0.1\n")
    assert said.startswith("problem: ")
    assert "hkube-wrapper needs Python 3.10 or newer" in said
    assert judge(tmp_path, base).startswith("note: ")


@pytest.mark.parametrize(
    "requirements, command",
    [
        ("hkube-wrapper==0.2.0\n", ""),
        ("HKube_Wrapper\n", ""),
        ("", "pip install ./hkube_wrapper-0.2.0-py3-none-any.whl"),
        ("hkube-wrapper\n", "apt-get install -y libgl1 && pip install -r requirements.txt"),
    ],
)
def test_python_3_10_takes_this_wrapper_from_the_user_s_packages(
    tmp_path: Path, requirements: str, command: str
) -> None:
    for base in ("python:3.10", "python:3.10.13-slim"):
        assert judge(tmp_path, base, requirements, command) == ""


@pytest.mark.parametrize(
    "requirements, command",
    [("", ""), ("my-hkube-wrapper\nhkube-wrapper-extra\n", ""), ("hkube-wrapper\n", "./setup.sh")],
)
def test_python_3_10_alone_runs_the_published_wrapper(
    tmp_path: Path, requirements: str, command: str
) -> None:
    said = judge(tmp_path, "python:3.10", requirements, command)
    assert "note: baseImage python:3.10: the published wrapper" in said
    assert f"--base {OWN}" in said
