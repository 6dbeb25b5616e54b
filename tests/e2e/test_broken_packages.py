"""Packages that break what the wrapper needs give a sentence, and nothing waits for ever.

The broken package is a module in a folder named site-packages, which comes before the real one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT = 60.0

# Coverage imports packages before the wrapper does.
pytestmark = pytest.mark.usefixtures("without_coverage")


def run(
    folder: Path, *arguments: str, broken: str, content: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line with a package that has lost its contents."""
    packages = folder / "site-packages"
    packages.mkdir()
    (packages / f"{broken}.py").write_text(content)
    (folder / "main.py").write_text("def start(args):\n    return 7\n")
    (folder / "pipeline.json").write_text(
        '{"name": "p", "nodes": [{"nodeName": "a", "algorithmName": "main", "input": []}]}'
    )
    return subprocess.run(
        [sys.executable, "-m", "hkube_python_wrapper", *arguments],
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(packages)} | env,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "main.py"),
        ("run", "main.py", "--in-process"),
        ("pipeline", "run", "pipeline.json", "--algorithms", "."),
    ],
    ids=["run", "in-process", "pipeline"],
)
def test_bson_of_pypi_ends_a_run_with_a_sentence(tmp_path: Path, arguments: list[str]) -> None:
    done = run(tmp_path, *arguments, broken="bson", WORKER_ALGORITHM_ENCODING="bson")
    assert done.returncode == 2
    assert done.stderr.startswith("error: the encoding bson does not work: ")
    assert "pip uninstall bson; pip install --force-reinstall pymongo" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_broken_json_encoder_names_its_package(tmp_path: Path) -> None:
    done = run(tmp_path, "run", "main.py", broken="orjson")
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install --force-reinstall orjson" in done.stderr
    assert "Traceback" not in done.stderr


def test_encoding_that_is_not_used_may_be_broken(tmp_path: Path) -> None:
    done = run(tmp_path, "run", "main.py", broken="bson")
    assert (done.returncode, done.stdout) == (0, "7\n")


def test_serving_with_a_broken_encoding_ends_with_a_sentence(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "serve",
        broken="bson",
        WORKER_ALGORITHM_ENCODING="bson",
        WORKER_SOCKET_PORT="1",  # nothing listens there
        ALGORITHM_PATH=str(tmp_path),
    )
    assert done.returncode == 70
    assert "the algorithm process cannot start: the encoding bson does not work" in done.stderr
    assert "please report" not in done.stderr
    assert "os._exit" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("package", ["pydantic", "typing_extensions", "typer", "rich"])
def test_package_that_breaks_the_command_line_gives_a_sentence(
    tmp_path: Path, package: str
) -> None:
    old = "def __getattr__(name):\n    raise AttributeError(f'this version has no {name}')\n"
    done = run(tmp_path, "check", ".", broken=package, content=old)
    if package in ("pydantic", "typing_extensions") and done.returncode == 0:
        pytest.skip("this version of Typer does not need it")
    assert done.returncode == 2
    assert done.stderr.startswith("the local tools cannot be loaded: ")
    assert "pip install --force-reinstall hkube-wrapper" in done.stderr
    assert "Traceback" not in done.stderr
