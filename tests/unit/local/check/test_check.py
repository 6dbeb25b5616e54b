"""The complete report of `check` and its display."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from wrapper.local.check.check import CheckReport, check
from wrapper.local.check.finding import TOPICS, FindingStatus
from wrapper.local.check.report_view import as_document, show
from wrapper.local.source.source import open_algorithm

FINE = "import json\ndef start(args, hkubeApi): pass\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path.resolve() / "green"
    made.mkdir()
    return made


def checked(folder: Path, path: str = ".", **files: str) -> CheckReport:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    with open_algorithm(folder / path, whole=False) as source:
        return check(source, os.environ, timeout=60)


def shown(report: CheckReport, is_terminal: bool = False) -> str:
    colours: Literal["standard"] | None = "standard" if is_terminal else None
    console = Console(
        file=io.StringIO(), force_terminal=is_terminal, color_system=colours, highlight=False
    )
    show(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def wrongs(report: CheckReport) -> list[str]:
    return [each.text for each in report.findings if each.status is FindingStatus.WRONG]


def test_all_is_fine(folder: Path) -> None:
    report = checked(folder, main__py=FINE)
    assert report.is_fine
    assert [each.topic for each in report.findings] == [
        *("module", "functions", "packages", "python", "folder")
    ]
    assert {each.status for each in report.findings} == {FindingStatus.FINE}
    lines = shown(report).splitlines()
    assert lines[0] == f"green in {folder}"
    assert lines[1].startswith("  ok    main.py loads, in ")
    assert "start(args, hkubeApi) (main.py:2), called as start(args, hkubeApi)" in lines[2]
    assert lines[-1] == "fine"


def test_errors_are_shown_and_counted(folder: Path) -> None:
    report = checked(folder, main__py="import sys\ndef go(a): pass\nimport torch_not_here\n")
    assert not report.is_fine
    assert len(wrongs(report)) == 2
    text = shown(report)
    assert "  WRONG main.py:3 imports 'torch_not_here', which is not installed" in text
    assert "      > 3 | import torch_not_here" in text
    assert text.endswith("2 things are wrong\n")


def test_terminal_shows_marks_in_colour(folder: Path) -> None:
    text = shown(checked(folder, main__py="def go(a): pass\n"), is_terminal=True)
    assert "✓" in text
    assert "\x1b[31m✗\x1b[0m main.py has no function 'start'" in text
    assert "1 thing is wrong" in text


def test_missing_module(folder: Path) -> None:
    report = checked(folder, main__py=FINE, algorithm__yml="name: ab\nentryPoint: other.py\n")
    assert wrongs(report)[0].startswith("algorithm.yml: no file other.py in")
    assert (report.file, report.probed, report.packages) == ("", None, ())
    assert as_document(report)["loadSeconds"] is None


def test_description_is_checked(folder: Path) -> None:
    yml = "name: My Alg\nenv: python:3.9\nalgorithmEnv: {A: {secretKeyRef: {}}}\n"
    report = checked(folder, main__py=FINE, algorithm__yml=yml)
    name, python = wrongs(report)
    assert name.startswith("the name 'My Alg' is not a valid HKube name")
    assert python.startswith("env asks for python:3.9")
    notes = [each.text for each in report.findings if each.status is FindingStatus.NOTE]
    assert notes[0].startswith("algorithmEnv.A comes from the cluster")


def test_unpackable_folder(folder: Path) -> None:
    (folder / ".dockerignore").write_text("!")
    report = checked(folder, main__py=FINE)
    assert report.tree is None
    assert "has an invalid pattern" in wrongs(report)[0]
    assert as_document(report)["size"] is None


def test_json_document(folder: Path) -> None:
    report = checked(folder, main__py=f"import pytest\n{FINE}", requirements__txt="pytest\n")
    document = json.loads(json.dumps(as_document(report)))
    assert list(document) == [
        *("ok", "name", "folder", "entryPoint", "file", "loadSeconds", "functions", "packages"),
        *("python", "size", "findings", "details"),
    ]
    assert document["ok"] is True
    assert document["functions"] == [
        {
            "role": "start",
            "name": "start",
            "file": "main.py",
            "line": 3,
            "signature": "(args, hkubeApi)",
            "call": "start(args, hkubeApi)",
            "async": False,
        }
    ]
    assert document["packages"] == [
        {
            "module": "pytest",
            "place": "main.py:1",
            "distribution": "pytest",
            "version": pytest.__version__,
            "listed": True,
        }
    ]
    assert document["size"]["files"] == 2
    assert {each["topic"] for each in document["findings"]} <= set(TOPICS)


def test_module_that_reads_stdin(folder: Path) -> None:
    report = checked(folder, main__py="input()\n")
    assert wrongs(report)[0].endswith("(main.py:1): a container has no interactive input")


def test_undecodable_file_name(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff.pyc")).touch()
    text = shown(checked(folder, main__py=FINE))
    assert "left out: \\udcff.pyc" in text
    text.encode()


def test_shared_folder_is_not_packed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    report = checked(folder, main__py=f"import numpy\n{FINE}")
    assert report.is_fine
    assert (report.tree, report.packages) == (None, ())
    assert f"{folder} holds more than this algorithm" in report.findings[-1].text
