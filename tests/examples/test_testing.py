"""Runs the tests in docs/testing.md and in the examples."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

from .conftest import LIMIT, ROOT

PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLUGIN = "hkube_python_wrapper._pytest_plugin"
CALLS = """
def start(args, hkubeApi):
    stock = hkubeApi.start_stored_subpipeline("stock")
    return [hkubeApi.start_algorithm("double", [2]), stock[0]["result"]]
"""

DOUBLED = """
def start(args):
    return args["streamInput"]["message"] * 2
"""


def run_pytest(folder: Path) -> str:
    entries = importlib.metadata.entry_points(group="pytest11")
    plugin = [] if any(entry.value == PLUGIN for entry in entries) else ["-p", PLUGIN]
    command = [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", str(folder)]
    ran = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return ran.stdout + ran.stderr


def blocks(path: str) -> list[str]:
    return PYTHON.findall((ROOT / path).read_text(encoding="utf-8"))


def test_examples_in_the_docs_pass(tmp_path: Path) -> None:
    algorithm, in_readme = blocks("README.md")
    page = blocks("docs/testing.md")
    assert in_readme == page[0]
    (tmp_path / "main.py").write_text(algorithm, encoding="utf-8")
    (tmp_path / "calls.py").write_text(CALLS, encoding="utf-8")
    (tmp_path / "doubled.py").write_text(DOUBLED, encoding="utf-8")
    (tmp_path / "test_page.py").write_text("\n\n".join(page), encoding="utf-8")
    output = run_pytest(tmp_path)
    assert f"{len(page)} passed" in output, output


def test_hello_example_passes_its_tests() -> None:
    output = run_pytest(ROOT / "examples" / "hello")
    assert "2 passed" in output, output


def test_streaming_example_passes_its_tests() -> None:
    output = run_pytest(ROOT / "examples" / "streaming")
    assert "3 passed" in output, output
