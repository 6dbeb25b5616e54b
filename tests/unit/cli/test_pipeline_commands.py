"""`pipeline check` and `pipeline graph`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wrapper.cli.app import run_app


@pytest.fixture
def descriptor(tmp_path: Path) -> str:
    (tmp_path / "algorithms").mkdir()
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "algorithms" / "alg.py").write_text("open('/loaded', 'w')\n")
    nodes = [
        {"nodeName": "a", "algorithmName": "alg", "input": ["#[1..3]"]},
        {"nodeName": "b", "algorithmName": "alg", "input": ["@a"]},
    ]
    (tmp_path / "p.json").write_text(json.dumps({"name": "p", "nodes": nodes}))
    return str(tmp_path / "p.json")


def test_good_pipeline(descriptor: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_app(["pipeline", "check", descriptor]) == 0
    out, err = capfd.readouterr()
    assert out == "fine: p, 2 nodes, 0 stored pipelines\n"
    assert "write three dots: #[1...3]" in err


def test_all_that_can_be_known_is_reported(
    descriptor: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gone = {"name": "s", "nodes": [{"nodeName": "a", "algorithmName": "gone"}]}
    (tmp_path / "pipelines" / "s.json").write_text(json.dumps(gone))
    (tmp_path / "pipelines" / "t.json").write_text("{}")
    assert run_app(["pipeline", "check", descriptor]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "error: s: nodes[0] 'a': there is no algorithm 'gone'" in err
    assert "t.json: 'nodes' is missing" in err


@pytest.mark.parametrize(("command", "code"), [("check", 1), ("run", 2)])
def test_stored_pipeline_that_does_not_exist_is_reported_before_the_first_task(
    descriptor: str, tmp_path: Path, command: str, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "algorithms" / "alg.py").write_text(
        "def start(args, api):\n"
        "    open('began', 'w')\n"
        "    return api.start_stored_subpipeline('gone', {})\n"
    )
    assert run_app(["pipeline", command, descriptor]) == code
    assert "alg.py:3: 'alg' starts the stored pipeline 'gone', but" in capfd.readouterr().err
    assert not list(tmp_path.rglob("began"))
    answers = tmp_path / "answers.json"
    answers.write_text('{"pipelines": {"gone": {"result": []}}}')
    assert run_app(["pipeline", "check", descriptor, "--answers", str(answers)]) == 0


def test_wrong_descriptor(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.json").write_text("{}")
    assert run_app(["pipeline", "check", str(tmp_path / "p.json")]) == 2
    assert "'nodes' is missing" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "first"), [([], "pipeline p\n"), (["--mermaid"], "flowchart LR\n")]
)
def test_graph(
    descriptor: str, options: list[str], first: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_app(["pipeline", "graph", descriptor, *options]) == 0
    assert capfd.readouterr().out.startswith(first)
