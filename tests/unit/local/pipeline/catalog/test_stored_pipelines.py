"""The stored pipelines of a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wrapper.errors import WrapperError
from wrapper.local.pipeline.catalog.folders import CatalogError
from wrapper.local.pipeline.catalog.stored_pipelines import (
    load_pipelines,
    missing_pipeline,
    read_pipeline,
    stored_pipeline,
)
from wrapper.local.pipeline.descriptor.fields import DescriptorError
from wrapper.local.pipeline.descriptor.parsing import parse_pipeline

PIPELINE: dict[str, Any] = {
    "name": "p",
    "nodes": [{"nodeName": "a", "algorithmName": "green"}],
}


def test_path_that_the_system_rejects_is_reported() -> None:
    endless = Path("x" * 5000)
    for use in (load_pipelines, read_pipeline):
        with pytest.raises(WrapperError):
            use(endless)


def test_recursive_yaml_alias_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "p.yml").write_text("nodes: &n [{nodeName: a, algorithmName: b, input: *n}]\n")
    with pytest.raises(DescriptorError, match=r"p\.yml: an alias refers to the value"):
        read_pipeline(tmp_path / "p.yml")


def test_stored_pipeline_is_named_by_its_content_or_its_file(tmp_path: Path) -> None:
    nameless = {"nodes": PIPELINE["nodes"]}
    (tmp_path / "one.json").write_text(json.dumps(PIPELINE))
    (tmp_path / "two.json").write_text(json.dumps(nameless))
    (tmp_path / "three.yml").write_text("nodes: [{nodeName: a, algorithmName: b}]\n")
    (tmp_path / "notes.txt").write_text("")
    assert set(load_pipelines(tmp_path)) == {"p", "two", "three"}
    assert load_pipelines(None) == {}
    assert read_pipeline(tmp_path / "two.json").name == "two"


def test_unusable_stored_pipeline_matters_only_when_it_is_used(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="none is not a folder of stored pipelines"):
        load_pipelines(tmp_path / "none")
    (tmp_path / "bad.json").write_text('{"nodes": []}')
    (tmp_path / "worse.json").write_text("{")
    (tmp_path / "stream.json").write_text(json.dumps(PIPELINE | {"name": "s", "kind": "stream"}))
    (tmp_path / "list.yml").write_text("- a\n")
    (tmp_path / "fine.json").write_text(json.dumps(PIPELINE))
    stored = load_pipelines(tmp_path)
    assert stored_pipeline("p", stored).name == "p"
    for name, problem in (
        ("bad", r"bad\.json: nodes: a pipeline needs at least one node"),
        ("worse", r"worse\.json is not valid JSON"),
        ("s", r"stream\.json: kind: an algorithm cannot start a streaming pipeline"),
        ("list", r"list\.yml: must be an object"),
    ):
        with pytest.raises(DescriptorError, match=problem):
            stored_pipeline(name, stored)


def test_duplicate_stored_pipeline_names_are_rejected(tmp_path: Path) -> None:
    for name in ("bad.json", "good.json"):
        (tmp_path / name).write_text(json.dumps(PIPELINE))
    with pytest.raises(CatalogError, match=r"good\.json and .*bad\.json are both named 'p'"):
        load_pipelines(tmp_path)


def test_missing_stored_pipeline_is_reported_with_alternatives() -> None:
    pipeline = parse_pipeline(PIPELINE, "p")
    assert missing_pipeline("x", {}) == (
        "there is no stored pipeline 'x'; give a folder of them with --pipelines"
    )
    assert missing_pipeline("stok", {"stock": pipeline}).endswith("'stok': did you mean 'stock'?")
    assert missing_pipeline("x", {"stock": pipeline}).endswith("'x'; available: stock")


def test_algorithm_or_folder_in_place_of_a_pipeline_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("def start(args): pass")
    with pytest.raises(DescriptorError, match="an algorithm, not a pipeline: run it with `hkube"):
        read_pipeline(tmp_path / "main.py")
    with pytest.raises(DescriptorError, match="is a folder; give the pipeline's JSON or YAML file"):
        read_pipeline(tmp_path)
