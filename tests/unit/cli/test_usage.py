"""Wrong usage of the command line: what it says, and what to write instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wrapper.cli.app import run_app

WRONG_USAGE = 2


def stderr_of(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run_app(arguments) == WRONG_USAGE
    out, err = capfd.readouterr()
    assert out == ""
    return err


def test_path_in_place_of_a_command(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "myalg").mkdir()
    (tmp_path / "score.py").touch()
    assert "did you mean hkube-wrapper run myalg?" in stderr_of(capfd, "myalg")
    assert "did you mean hkube-wrapper run score.py?" in stderr_of(capfd, "score.py")
    assert "did you mean hkube-wrapper run score.py?" in stderr_of(capfd, "score")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["chekc"], "there is no command 'chekc': did you mean 'check'?"),
        (["pipeline", "rnu"], "there is no command 'rnu': did you mean 'run'?"),
        (["zzz"], "there is no command 'zzz'; the commands are apply, build,"),
        (["run", "a.py", "--input", "[{a:", "1}]"], "put single quotes around it"),
        (["init", "--template", "modl", "x"], "not one of hello, model, subpipeline: did you mean"),
    ],
)
def test_hint(capfd: pytest.CaptureFixture[str], arguments: list[str], text: str) -> None:
    err = stderr_of(capfd, *arguments)
    assert text in err
    assert "Value error" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--json", "--no-such-option"],
        ["run", "--json", "--input", "[1,"],
        ["check", "--json", "/no/such/folder"],
        ["check", "--json", "a", "b"],
    ],
)
def test_json_on_stdout_for_programs(
    capfd: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run_app(arguments) == WRONG_USAGE
    out, err = capfd.readouterr()
    error = json.loads(out)["error"]
    assert error["code"]
    assert f"error: {error['message']}\n" in err


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert (run_app(["-V"]), run_app(["--version"])) == (0, 0)
    first, second = capfd.readouterr().out.split()
    assert first == second
