"""Variables that change how Python runs: none makes the wrapper warn, hang or lose an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

from .conftest import Serve

PIPELINE = ROOT / "examples" / "pipeline"
VARIABLES = [("PYTHONDEVMODE", "1"), ("PYTHONWARNINGS", "error"), ("PYTHONINSPECT", "1")]
COMMANDS = [
    ["run", "main.py", "--input", "[1]"],
    ["run", "--in-process", "main.py", "--input", "[1]"],
    ["run", "main.py", "--input", "[1]", "--storage", "fs"],
    ["check", "main.py"],
    ["pipeline", "run", str(PIPELINE / "pipeline.json"), "--pipelines", str(PIPELINE / "stored")],
    ["init", "new-algorithm"],
    ["build", ".", "--print"],
]
CODE = "def start(args):\n    return args['input']\n"


@pytest.mark.parametrize(("name", "value"), VARIABLES)
@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(arguments[:2]))
def test_commands_work_with_pythons_options(
    without_coverage: None, tmp_path: Path, arguments: list[str], name: str, value: str
) -> None:
    (tmp_path / "main.py").write_text(CODE)
    done = subprocess.run(
        [sys.executable, "-m", "hkube_python_wrapper", *arguments],
        cwd=tmp_path,
        env={**os.environ, name: value},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("mode", [[], ["--in-process"]])
@pytest.mark.parametrize(("name", "value"), VARIABLES)
def test_a_container_works_with_pythons_options(
    without_coverage: None, serve: Serve, mode: list[str], name: str, value: str
) -> None:
    worker, wrapper = serve(
        {"main.py": CODE}, arguments=("-m", "wrapper", *mode), env={name: value}
    )
    assert worker.run(1) == [1]
    worker.send("exit", {"exitCode": 7})
    assert wrapper.wait(20) == 7
    assert "Warning" not in wrapper.stderr and "Traceback" not in wrapper.stderr
