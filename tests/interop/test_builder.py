"""HKube's builder on `python:3.10`: the user's packages bring this wrapper.

The steps are those of the builder's template, without a container: it installs the published
wrapper that it pins, then the user's packages, and starts `app.py` through a pipe.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness.worker import ScriptedWorker
from tests.paths import ROOT
from wrapper import __version__

from .conftest import REQUIRED
from .stream_nodes import PUBLISHED

INSTALLATION = 300.0
LIMIT = 60.0
WHEEL = f"hkube_wrapper-{__version__}-py3-none-any.whl"
APP = """\
from hkube_python_wrapper import Algorunner

def main():
    print("starting algorithm runner")
    Algorunner.Run()

if __name__ == "__main__":
    main()
"""
ALGORITHM = """\
import wrapper

def start(args, hkubeApi):
    print("the last line", flush=True)
    return [wrapper.__version__, args["input"]]
"""
START = """\
mkfifo pipe
(tee -a stdout.log <pipe &)
exec "$0" -u app.py >pipe 2>&1
"""


def find_python310() -> str | None:
    found = shutil.which("python3.10")
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    candidates = [*([found] if found else []), *map(str, versions.glob("3.10.*/bin/python3.10"))]
    for python in candidates:
        command = [python, "-c", "import ensurepip, venv"]
        if not subprocess.run(command, capture_output=True, check=False).returncode:
            return python
    return None


def run(*command: str | Path, cwd: Path, **environ: str) -> str:
    """Run a step of the builder; fail with its output."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALLATION,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build this wrapper's wheel, away from the repository's own build folder."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "wrapper", source / "wrapper")
    shutil.copytree(ROOT / "hkube_python_wrapper", source / "hkube_python_wrapper")
    for name in (
        "LICENSE",
        "README.md",
        "pyproject.toml",
        *map(str, ROOT.glob("requirements*.txt")),
    ):
        shutil.copy(ROOT / name, source)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", ".", cwd=source)
    return source / WHEEL


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment of Python 3.10 with the published wrapper, as the builder does."""
    python = find_python310()
    if python is None:
        if os.environ.get(REQUIRED) == "required" and shutil.which("pyenv"):
            pytest.fail("the builder's route needs Python 3.10", pytrace=False)
        pytest.skip("the builder's route needs Python 3.10")
    folder = tmp_path_factory.mktemp("published")
    run(python, "-m", "venv", "venv", cwd=folder)
    run(folder / "venv/bin/python", "-m", "pip", "install", "--quiet", PUBLISHED, cwd=folder)
    return folder / "venv"


@pytest.fixture
def worker() -> Iterator[ScriptedWorker]:
    started = ScriptedWorker()
    yield started
    started.close()


@pytest.mark.timeout(2 * INSTALLATION)
@pytest.mark.parametrize("route", ["requirements.txt", "dependencyInstallCmd"])
def test_users_packages_bring_this_wrapper(
    route: str, published: Path, wheel: Path, worker: ScriptedWorker, tmp_path: Path
) -> None:
    shutil.copytree(published, tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    code = tmp_path / "algorithm_unique_folder"
    code.mkdir()
    (tmp_path / "app.py").write_text(APP)
    (code / "main.py").write_text(ALGORITHM)
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    if route == "requirements.txt":
        (code / "requirements.txt").write_text("hkube-wrapper\n")
        users = ("-m", "pip", "install", "-r", "./algorithm_unique_folder/requirements.txt")
        run(python, *users, cwd=tmp_path, PIP_FIND_LINKS=str(wheel.parent))
    else:
        shutil.copy(wheel, code)
        run("sh", "-c", f"python -m pip install ./{WHEEL}", cwd=code, PATH=path)
    with (tmp_path / "out").open("wb") as out:
        started = subprocess.Popen(
            ["sh", "-c", START, str(python)],
            cwd=tmp_path,
            env={
                **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
                "PYTHONPATH": f":{code}",
                "WORKER_SOCKET_PORT": str(worker.port),
                "TERMINATION_LOG": str(tmp_path / "termination"),
            },
            stdout=out,
            stderr=out,
        )
    try:
        worker.wait_connected(timeout=LIMIT)
        assert worker.run(1, 2, timeout=LIMIT) == [__version__, [1, 2]]
        worker.send("exit", {"exitCode": 7})
        assert started.wait(LIMIT) == 7
    finally:
        if started.poll() is None:
            started.kill()
            started.wait()
    kept = tmp_path / "stdout.log"  # written by tee, which ends after the wrapper
    worker.wait_until(lambda: "the last line" in kept.read_text(), LIMIT, "the output", True)
