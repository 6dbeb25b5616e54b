"""Options that pyproject.toml sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from wrapper.cli.app import app
from wrapper.cli.json_values import UsageError
from wrapper.cli.project_options import has_project_options, project_options

COMMAND = typer.main.get_command(app)


def read(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "pyproject.toml"
    file.write_text(text)
    return project_options(COMMAND, file)


@pytest.mark.parametrize("text", ["", "[tool.other]\na = 1\n", "not toml ["])
def test_file_without_our_table_sets_nothing(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == {}
    assert not has_project_options(tmp_path / "pyproject.toml")
    assert project_options(COMMAND, tmp_path / "missing.toml") == {}


def test_options_have_the_names_of_the_command_line(tmp_path: Path) -> None:
    text = """
        [tool.hkube.run]
        path = "src/main.py"
        input = ["[1]", "[2]"]
        flow-input = "{}"
        env = "A=1"
        json = true
        timeout = 1.5
        [tool.hkube.pipeline.run]
        processes = 2
    """
    assert read(tmp_path, text) == {
        "run": {
            "path": "src/main.py",
            "inputs": ["[1]", "[2]"],
            "flow_input": "{}",
            "env": ["A=1"],
            "as_json": True,
            "timeout": "1.5",
        },
        "pipeline": {"run": {"processes": "2"}},
    }


@pytest.mark.parametrize(
    ("table", "line", "error"),
    [
        (
            "run",
            "inptu = 1",
            r"\[tool.hkube.run\]: there is no option 'inptu': did you mean",
        ),
        ("rnu", "input = 1", r"\[tool.hkube\]: there is no command 'rnu': did you mean 'run'"),
        ("pipeline", "run = 1", r"\[tool.hkube.pipeline.run\] must be a table"),
        ("run", "json = 1", r"run\]: json must be true or false"),
        ("run", "timeout = []", r"run\]: timeout must be text or a number"),
        ("run", "input = [[1]]", r"run\]: input must be text or a number"),
        ("run", "help = true", r"run\]: there is no option 'help'"),
        ("run", "=", "cannot read"),
    ],
)
def test_mistake_is_reported_with_its_place(
    tmp_path: Path, table: str, line: str, error: str
) -> None:
    with pytest.raises(UsageError, match=error):
        read(tmp_path, f"[tool.hkube.{table}]\n{line}\n")
