"""Algorithms whose imports name their own folders, given to the commands in every form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT = 60.0
SERVE = "from {module} import two\n\ndef start(args):\n    return two()\n"
FILES = {
    "src/utils.py": "def two():\n    return 2\n",
    "src/alg/util.py": "def two():\n    return 2\n",
    "src/main.py": SERVE.format(module="src.utils"),
    "src/alg/serve.py": SERVE.format(module="alg.util"),
    "src/alg/above.py": SERVE.format(module="..utils"),
}
POOLS = """
import concurrent.futures
import multiprocessing

from .work import twice

def plus_one(number):
    return number + 1

def start(args):
    kind = args["input"][0]
    if kind == "joblib":
        import joblib

        delayed = [joblib.delayed(each)(number) for each in (twice, plus_one) for number in (1, 2)]
        return joblib.Parallel(2)(delayed)
    context = multiprocessing.get_context("spawn" if kind == "futures" else kind)
    if kind == "futures":
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            return [*pool.map(twice, [1, 2]), *pool.map(plus_one, [1, 2])]
    with context.Pool(2) as pool:
        return pool.map(twice, [1, 2]) + pool.map(plus_one, [1, 2])
"""
DYING_POOL = """
import multiprocessing, os

def start(args):
    with multiprocessing.get_context("spawn").Pool(2, initializer=os._exit, initargs=(3,)) as pool:
        return pool.map(abs, [1, 2])
"""


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def hkube(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hkube_python_wrapper._launch", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False
    )


@pytest.mark.parametrize("more", [[], ["--in-process"]], ids=["process", "in_process"])
@pytest.mark.parametrize(
    "path", ["src/main.py", "src", "src.main", "src/alg/serve.py", "src/alg/above.py"]
)
def test_imports_start_from_a_folder_above(tmp_path: Path, path: str, more: list[str]) -> None:
    write(tmp_path, FILES)
    ran = hkube(tmp_path, "run", path, *more)
    assert (ran.returncode, ran.stdout) == (0, "2\n"), ran.stderr


@pytest.mark.parametrize("path", ["src/main.py", "src", "src/alg/serve.py"])
def test_check_finds_nothing_wrong(tmp_path: Path, path: str) -> None:
    write(tmp_path, FILES)
    ran = hkube(tmp_path, "check", path)
    assert ran.returncode == 0, ran.stdout
    assert "requirements.txt" not in ran.stdout


@pytest.mark.parametrize("command", ["run", "check"])
def test_from_within_the_folder_the_command_that_works_is_named(
    tmp_path: Path, command: str
) -> None:
    write(tmp_path, FILES)
    ran = hkube(tmp_path / "src", command, "main.py")
    shown = ran.stdout + ran.stderr
    assert ran.returncode == 1
    assert f"cd {tmp_path} && hkube-wrapper run src/main.py" in shown
    assert "requirements.txt" not in shown


@pytest.mark.parametrize("command", ["run", "check"])
def test_module_whose_folder_is_imported_by_name_names_the_command_that_works(
    tmp_path: Path, command: str
) -> None:
    code = "from alg.util import x\n\ndef start(args):\n    return x\n"
    write(tmp_path, {"src/alg/util.py": "x = 5\n", "src/alg/serve.py": code})
    ran = hkube(tmp_path, command, "src.alg.serve")
    shown = ran.stdout + ran.stderr
    assert ran.returncode == 1
    assert f"cd {tmp_path}/src && hkube-wrapper run alg/serve.py" in shown
    assert "requirements.txt" not in shown
    works = hkube(tmp_path / "src", "run", "alg/serve.py")
    assert works.stdout == "5\n", works.stderr


def test_image_gets_the_folder_that_the_imports_start_from(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    ran = hkube(tmp_path, "build", "src/main.py", "--print")
    assert 'ALGORITHM_ENTRY_POINT="src/main.py"' in ran.stdout, ran.stdout + ran.stderr


@pytest.mark.parametrize("folder", ["pkg", "my-alg"])
@pytest.mark.parametrize("kind", ["spawn", "forkserver", "fork", "futures", "joblib"])
def test_process_pool_over_functions_of_the_package(tmp_path: Path, kind: str, folder: str) -> None:
    if kind == "joblib":
        pytest.importorskip("joblib", reason="joblib is not installed (requirements-dev.txt)")
    files = {"main.py": POOLS, "work.py": "def twice(number):\n    return 2 * number\n"}
    write(tmp_path / folder, files)
    ran = hkube(tmp_path, "run", f"{folder}/main.py", "--input", json.dumps([kind]))
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [2, 4, 2, 3]


@pytest.mark.usefixtures("without_coverage")
def test_pool_whose_workers_die_at_once_is_ended_by_a_stop(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": DYING_POOL})
    ran = hkube(tmp_path, "run", "main.py", "--timeout", "2")
    assert "stopped" in ran.stderr
    assert ran.returncode == 1
