"""`hkube-wrapper init`: what it creates works unchanged with every other command."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from wrapper import __version__
from wrapper.local.init.scaffold import TEMPLATES

LIMIT = 120.0
ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would, `hkube-wrapper` included."""
    words = [str(part) for part in command]
    if words[0] == "hkube-wrapper":  # it may not be installed when these tests run
        words[:1] = [sys.executable, "-m", "wrapper"]
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def init(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run("hkube-wrapper", "init", *arguments, cwd=cwd)


@pytest.mark.parametrize("template", TEMPLATES)
def test_created_algorithm_works(tmp_path: Path, template: str) -> None:
    made = init("my-alg", "--template", template, cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    first, second = re.findall(r"^  (.+)$", made.stdout, re.MULTILINE)

    ran = run(*shlex.split(first), cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    readme = (tmp_path / "my-alg" / "README.md").read_text()
    assert ran.stdout in readme

    checked = run(*shlex.split(second), "--json", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    assert {each["status"] for each in json.loads(checked.stdout)["findings"]} == {"fine"}

    printed = run("hkube-wrapper", "build", "my-alg", "--print", cwd=tmp_path)
    assert printed.returncode == 0
    assert {line.partition(": ")[0] for line in printed.stderr.splitlines()} == {"left out"}
    assert "left out: test_main.py\n" in printed.stderr
    assert f"FROM hkube/python-wrapper:{__version__}\n" in printed.stdout
    written = run("hkube-wrapper", "build", "my-alg", "--output", "out", cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    code = set(os.listdir(tmp_path / "out" / "code" / "algorithm_unique_folder"))
    assert code >= {"main.py", "requirements.txt"}
    assert not code & {"test_main.py", "README.md", "algorithm.yml", ".gitignore"}


@pytest.mark.skipif(
    importlib.util.find_spec("wrapper.testing") is None, reason="the fixture `hkube` is not here"
)
@pytest.mark.parametrize("template", TEMPLATES)
def test_test_of_the_template_passes(tmp_path: Path, template: str) -> None:
    init("my-alg", "--template", template, cwd=tmp_path)
    tested = run(sys.executable, "-m", "pytest", "-q", cwd=tmp_path / "my-alg")
    assert tested.returncode == 0, tested.stdout
    assert "1 passed" in tested.stdout


def test_readme_commands_work(tmp_path: Path) -> None:
    init("my-alg", "--template", "subpipeline", cwd=tmp_path)
    text = (tmp_path / "my-alg" / "README.md").read_text()
    (command,) = re.findall(r"^\$ (hkube-wrapper run .+)$", text, re.MULTILINE)
    assert run(*shlex.split(command), cwd=tmp_path / "my-alg").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Missing argument 'NAME'"),
        (["My Alg"], "error: 'My Alg' is not a valid HKube name"),
        (["full"], "error: full already exists and is not empty"),
        (["file/alg"], "error: cannot create file/alg: "),
        (["alg", "--template", "rocket"], "'rocket' is not one of hello, model, subpipeline"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], text: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").touch()
    (tmp_path / "file").touch()
    done = init(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in " ".join(done.stderr.replace("│", " ").split())
    assert os.listdir(tmp_path / "full") == ["precious"]


def test_printed_command_works_for_a_path_with_a_space(tmp_path: Path) -> None:
    made = init("my algs/alg", cwd=tmp_path)
    command = re.findall(r"^  (.+)$", made.stdout, re.MULTILINE)[0]
    assert run(*shlex.split(command), cwd=tmp_path).returncode == 0


def test_help_names_every_option(tmp_path: Path) -> None:
    done = init("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("NAME", "--template", *TEMPLATES))
    assert "Exit codes: 0 created" in done.stdout
