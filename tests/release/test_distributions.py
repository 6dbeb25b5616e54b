"""What a release publishes: the wheel and the sdist, looked at and installed on every Python."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.paths import ROOT
from wrapper import __version__

LIMIT = 280.0
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
NAME = f"hkube_wrapper-{__version__}"


class Distributions(NamedTuple):
    """The files that are uploaded."""

    wheel: Path
    sdist: Path


def run(*command: str | Path, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command outside of the repository; fail with its output."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environ},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
    return done


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """Build the sdist from the files of the repository, and the wheel from the sdist."""
    folder = tmp_path_factory.mktemp("release")
    listed = run("git", "ls-files", "-z", cwd=ROOT).stdout.split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "source" / name)
    command = (sys.executable, "-m", "build", "--outdir", folder / "dist", folder / "source")
    run(*command, cwd=folder)
    found = Distributions(
        folder / "dist" / f"{NAME}-py3-none-any.whl", folder / "dist" / f"{NAME}.tar.gz"
    )
    assert sorted((folder / "dist").iterdir()) == sorted(found)
    return found


def find_python(version: str) -> str | None:
    """Find an interpreter in PATH or among pyenv's."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    for candidate in (f"python{version}", *map(str, versions.glob(f"{version}.*/bin/python"))):
        code = f"import ensurepip, sys; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
        try:
            found = subprocess.run([candidate, "-c", code], capture_output=True, check=False)
        except OSError:
            continue
        if found.returncode == 0:
            return candidate
    return None


def test_metadata_is_what_the_index_accepts(distributions: Distributions, tmp_path: Path) -> None:
    done = run(sys.executable, "-m", "twine", "check", "--strict", *distributions, cwd=tmp_path)
    assert done.stdout.count("PASSED") == 2


def test_wheel_holds_the_two_packages_and_nothing_else(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(f"{NAME}.dist-info/METADATA").decode()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"wrapper", "hkube_python_wrapper", "hkube_wrapper", f"{NAME}.dist-info"}
    sources = {
        path.relative_to(ROOT).as_posix()
        for package in ("wrapper", "hkube_python_wrapper", "hkube_wrapper")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = {name for name in names if not name.startswith(NAME)}
    assert held == sources
    assert "License-Expression: MIT" in metadata
    assert f"{NAME}.dist-info/licenses/LICENSE" in names


def test_sdist_can_build_the_wheel_without_the_repository(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "requirements.txt"} <= names
    assert not {name for name in names if name.startswith((".github", "benchmarks", ".venv"))}


@pytest.mark.parametrize("version", PYTHONS)
def test_first_screen_of_the_readme_works_from_the_wheel_alone(
    distributions: Distributions, tmp_path: Path, version: str
) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"Python {version} is not on this machine")
    run(python, "-m", "venv", "venv", cwd=tmp_path)
    installed = tmp_path / "venv" / "bin"
    run(installed / "python", "-m", "pip", "install", "-q", distributions.wheel, cwd=tmp_path)
    run(installed / "python", "-m", "pip", "check", cwd=tmp_path)
    readme = (ROOT / "README.md").read_text()
    code = re.search(r"```python\n(def initialize.*?)```", readme, re.DOTALL)
    command = re.search(r"^\$ hkube-wrapper run main\.py --input '(.*)'$", readme, re.MULTILINE)
    assert code is not None and command is not None
    (tmp_path / "main.py").write_text(code[1])
    wrapper = installed / "hkube-wrapper"
    done = run(wrapper, "run", "main.py", "--input", command[1], cwd=tmp_path)
    assert json.loads(done.stdout) == {"mean": 3.0}
    assert "a task for local" in done.stderr
    assert run(wrapper, "--version", cwd=tmp_path).stdout.strip() == __version__
    checked = run(wrapper, "check", "main.py", cwd=tmp_path).stdout
    assert checked.rstrip().endswith("fine")
    sent = json.loads(
        run(wrapper, "apply", "main.py", "--name", "mean", "--dry-run", cwd=tmp_path).stdout
    )
    assert sent["payload"]["name"] == "mean"
