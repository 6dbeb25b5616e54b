"""Files of replies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wrapper.local.worker.answers import (
    AnswersError,
    AnswerTable,
    Cancelled,
    Failure,
    Result,
    load_answers,
)


def write(folder: Path, document: Any) -> Path:
    path = folder / "answers.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_every_kind_of_entry(tmp_path: Path) -> None:
    document = {
        "algorithms": {"a": {"result": None}, "b": {"error": "text"}},
        "pipelines": {"p": {"stopped": "by hand"}},
        "dataSources": {"d": {"result": {"files": []}}},
    }
    assert load_answers(write(tmp_path, document)) == AnswerTable(
        algorithms={"a": Result(None), "b": Failure("text")},
        pipelines={"p": Cancelled("by hand")},
        data_sources={"d": Result({"files": []})},
    )


def test_sections_are_optional(tmp_path: Path) -> None:
    assert load_answers(write(tmp_path, {})) == AnswerTable()


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([], "answers.json must be a JSON object"),
        ({"algorithm": {}}, "unknown section 'algorithm': the sections are algorithms, pipelines"),
        ({"pipelines": []}, "answers.json: pipelines must be a JSON object"),
        ({"pipelines": {"p": 5}}, 'pipelines.p must be {"result": …}'),
        ({"pipelines": {"p": {"error": 5}}}, "pipelines.p must be"),
        ({"pipelines": {"p": {"result": 5, "error": "x"}}}, "pipelines.p must be"),
    ],
)
def test_invalid_entry_is_named(tmp_path: Path, document: Any, text: str) -> None:
    with pytest.raises(AnswersError) as raised:
        load_answers(write(tmp_path, document))
    assert text in str(raised.value)


def test_invalid_json(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(AnswersError, match="is not valid JSON: "):
        load_answers(path)


def test_deeply_nested_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(AnswersError, match="answers.json is nested too deep"):
        load_answers(path)


def test_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text('{"algorithms": {"a": {"result": 1}}}', encoding="utf-8-sig")
    assert load_answers(path).algorithms == {"a": Result(1)}


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(AnswersError, match="cannot read .*none.json: No such file"):
        load_answers(tmp_path / "none.json")
