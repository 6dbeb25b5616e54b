"""`--storage fs` of the local tools: mode v3 on a laptop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT = 60.0
ALGORITHM = """\
def start(args, hkubeApi):
    what = args["input"][0]
    if what == "big":
        return "x" * 100_000_001
    if what == "call":
        return hkubeApi.start_algorithm("other", [{"a": 1}])
    if what == "set":
        return {1}
    if what == "bytes":
        return b"raw"
    return args["input"]
"""


@pytest.fixture
def algorithm(tmp_path: Path) -> Path:
    path = tmp_path / "algorithm.py"
    path.write_text(ALGORITHM)
    return path


def run(*arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wrapper", *map(str, arguments), "--storage", "fs"]
    environ = {**os.environ, "HKUBE_LOG_LEVEL": "info"}
    if folder is not None:
        environ["BASE_FS_ADAPTER_DIRECTORY"] = str(folder)
    return subprocess.run(
        command, capture_output=True, text=True, timeout=LIMIT, check=False, env=environ
    )


@pytest.mark.parametrize("more", [[], ["--in-process"]])
def test_input_and_result_are_files(algorithm: Path, tmp_path: Path, more: list[str]) -> None:
    folder = tmp_path / "storage"
    done = run("run", algorithm, "--input", '[{"a": 1}, "x"]', *more, folder=folder)
    assert (done.returncode, json.loads(done.stdout)) == (0, [{"a": 1}, "x"]), done.stderr
    assert f"storage v3: inputs and results are files in {folder}" in done.stderr
    assert len([file for file in folder.rglob("*") if file.is_file()]) == 3


def test_temporary_storage_is_removed(algorithm: Path) -> None:
    done = run("run", algorithm, "--input", "[5]")
    assert (done.returncode, done.stdout) == (0, "[5]\n")
    (line,) = [line for line in done.stderr.splitlines() if "storage v3" in line]
    assert not Path(line.rpartition(" files in ")[2]).exists()


def test_result_larger_than_a_message(algorithm: Path) -> None:
    done = run("run", algorithm, "--input", '["big"]')
    assert (done.returncode, len(done.stdout)) == (0, 100_000_004)


def test_bytes_are_printed(algorithm: Path) -> None:
    assert run("run", algorithm, "--input", '["bytes"]').stdout == '{"$base64": "cmF3"}\n'


def test_result_that_cannot_be_stored(algorithm: Path) -> None:
    done = run("run", algorithm, "--input", '["set"]')
    assert done.returncode == 1
    assert "result is a set" in done.stderr


def test_calls(algorithm: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text('{"algorithms": {"other": {"result": [1, 2]}}}')
    done = run("run", algorithm, "--input", '["call"]', "--answers", answers)
    assert (done.returncode, done.stdout) == (0, "[1, 2]\n"), done.stderr


def test_pipeline(algorithm: Path, tmp_path: Path) -> None:
    (tmp_path / "algorithms").mkdir()
    algorithm.rename(tmp_path / "algorithms" / "echo.py")
    (tmp_path / "algorithms" / "calls.py").write_text(
        "def start(args, api):\n    return api.start_algorithm('echo', [args['input'][0]])\n"
    )
    nodes = [
        {"nodeName": "one", "algorithmName": "echo", "input": ["#@flowInput.items"]},
        {"nodeName": "two", "algorithmName": "calls", "input": ["@one"]},
    ]
    pipeline = tmp_path / "pipeline.json"
    document = {"name": "p", "nodes": nodes, "flowInput": {"items": [1, 2]}}
    pipeline.write_text(json.dumps(document))
    folder = tmp_path / "storage"
    done = run("pipeline", "run", pipeline, folder=folder)
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads(done.stdout)
    assert entry["result"] == [[[1], [2]]]
    assert len(list(folder.rglob("*"))) > 6
