"""The algorithms and stored pipelines of a machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wrapper.errors import WrapperError
from wrapper.local.pipeline.catalog.algorithms import (
    Algorithms,
    CatalogError,
    check_algorithms,
    find_algorithms,
    load_pipelines,
    missing_pipeline,
    read_pipeline,
    stored_pipeline,
)
from wrapper.local.pipeline.descriptor.fields import DescriptorError
from wrapper.local.pipeline.descriptor.parsing import parse_pipeline
from wrapper.local.source.manifest import ManifestError

CODE = "def start(args): pass\n"
PIPELINE: dict[str, Any] = {
    "name": "p",
    "nodes": [
        {"nodeName": "a", "algorithmName": "green"},
        {"nodeName": "b", "algorithmName": "grean"},
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with algorithms in every form, and with other things."""
    (tmp_path / "green").mkdir()
    (tmp_path / "green" / "main.py").write_text(CODE)
    (tmp_path / "yellow.py").write_text(CODE)
    (tmp_path / "deep" / "src").mkdir(parents=True)
    (tmp_path / "deep" / "src" / "run.py").write_text(CODE)
    (tmp_path / "deep" / "algorithm.yml").write_text(
        "name: black\ncode:\n  path: src\n  entryPoint: run.py\n"
    )
    (tmp_path / "red.json").write_text('{"name": "red-alg", "code": {"path": "green"}}')
    (tmp_path / "notes").mkdir()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / ".hidden.py").write_text(CODE)
    (tmp_path / "other.json").write_text("[1]")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "README.md").write_text("")
    return tmp_path


def test_a_folder(folder: Path) -> None:
    found = find_algorithms(folder)
    assert set(found) == {"green", "yellow", "black", "red-alg"}
    with Algorithms(found, "here") as algorithms:
        assert algorithms.source("green").entry_point == "main.py"
        assert algorithms.source("yellow").entry_point == "yellow.py"
        assert algorithms.source("black").folder == folder / "deep" / "src"
        assert algorithms.source("black") is algorithms.source("black")
        assert "green" in algorithms
        assert "blue" not in algorithms


def test_a_map_starts_at_its_folder(folder: Path) -> None:
    (folder / "map.yml").write_text("one: green\ntwo: deep/algorithm.yml\n")
    found = find_algorithms(folder / "map.yml")
    with Algorithms(found, "here") as algorithms:
        assert algorithms.source("one").folder == folder / "green"
        assert algorithms.source("two").entry_point == "run.py"


@pytest.mark.parametrize(
    "name, text, problem",
    [
        ("map.yml", "- a\n", "must map the names of algorithms to paths"),
        ("map.yml", "a: 3\n", "map.yml: a must be a name with a path, as text"),
        ("map.yml", "a: gone.py\n", r"map\.yml: a is gone\.py, but .*gone\.py does not exist"),
        ("map.yml", f"a: {'x' * 5000}\n", "does not exist"),
        ("map.yml", "a: [\n", "is not valid YAML"),
        ("map.json", "{", "is not valid JSON"),
        ("map.txt", "", "is neither a folder nor a map of algorithms"),
    ],
)
def test_maps_that_are_none(tmp_path: Path, name: str, text: str, problem: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CatalogError, match=problem):
        find_algorithms(tmp_path / name)


def test_folders_without_algorithms(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="has no algorithms: it must hold a folder with"):
        find_algorithms(tmp_path)
    with pytest.raises(CatalogError, match="does not exist; give a folder of algorithms"):
        find_algorithms(tmp_path / "none")


def test_one_that_cannot_be_used_refuses_itself_alone(folder: Path) -> None:
    (folder / "node").mkdir()
    (folder / "node" / "algorithm.yml").write_text("name: js\nenv: nodejs\n")
    (folder / "ready").mkdir()
    (folder / "ready" / "algorithm.yml").write_text("algorithmImage: team/ready\n")
    (folder / "worse").mkdir()
    (folder / "worse" / "algorithm.yml").write_text("[\n")
    (folder / "numbered.json").write_text('{"name": 3, "code": {}}')
    pipeline = parse_pipeline(PIPELINE | {"nodes": PIPELINE["nodes"][:1]}, "p.json")
    with Algorithms(find_algorithms(folder), "algs") as algorithms:
        check_algorithms(pipeline, "p.json", algorithms, ())
        for name, problem in (
            ("js", "env is 'nodejs', but this wrapper runs python algorithms only"),
            ("ready", "names an image but no code"),
            ("worse", "is not valid YAML"),
            ("numbered", "name must be text"),
        ):
            node = {"nodeName": "a", "algorithmName": name}
            asking = parse_pipeline({"name": "q", "nodes": [node]}, "q.json")
            with pytest.raises(ManifestError, match=problem):
                check_algorithms(asking, "q.json", algorithms, ())
            check_algorithms(asking, "q.json", algorithms, [name])


def test_two_algorithms_of_one_name(folder: Path) -> None:
    (folder / "green.py").write_text(CODE)
    with pytest.raises(CatalogError, match=r"green and .*green\.py are both called 'green'"):
        find_algorithms(folder)


def test_a_node_without_an_algorithm_is_named_with_what_there_is(folder: Path) -> None:
    pipeline = parse_pipeline(PIPELINE, "p.json")
    with Algorithms(find_algorithms(folder), "algs") as algorithms:
        with pytest.raises(DescriptorError) as caught:
            check_algorithms(pipeline, "p.json", algorithms, ())
        assert str(caught.value) == (
            "p.json: nodes[1] 'b': there is no algorithm 'grean' in algs: did you mean 'green'?"
        )
        check_algorithms(pipeline, "p.json", algorithms, ["grean"])
        assert algorithms.missing("zzz").endswith(
            "'zzz' in algs; there are black, green, red-alg, yellow"
        )
    with pytest.raises(CatalogError, match="there is no algorithm 'x': name some"):
        Algorithms({}, "name some").source("x")


def test_a_path_that_is_no_algorithm_is_told_before_anything_runs(tmp_path: Path) -> None:
    pipeline = parse_pipeline(PIPELINE | {"nodes": PIPELINE["nodes"][:1]}, "p.json")
    with (
        Algorithms({"green": tmp_path / "none"}, "map") as algorithms,
        pytest.raises(WrapperError, match="does not exist"),
    ):
        check_algorithms(pipeline, "p.json", algorithms, ())


def test_paths_that_the_system_does_not_take() -> None:
    endless = Path("x" * 5000)
    for use in (find_algorithms, load_pipelines, read_pipeline):
        with pytest.raises(WrapperError):
            use(endless)
    with Algorithms({"a": endless}, "map") as algorithms, pytest.raises(WrapperError):
        algorithms.source("a")


def test_a_pipeline_that_comes_to_far_more_than_it_looks(tmp_path: Path) -> None:
    (tmp_path / "p.yml").write_text("nodes: &n [{nodeName: a, algorithmName: b, input: *n}]\n")
    with pytest.raises(DescriptorError, match=r"p\.yml: an alias refers to the value"):
        read_pipeline(tmp_path / "p.yml")


def test_stored_pipelines_are_called_by_their_name_or_their_file(tmp_path: Path) -> None:
    nameless = {"nodes": PIPELINE["nodes"]}
    (tmp_path / "one.json").write_text(json.dumps(PIPELINE))
    (tmp_path / "two.json").write_text(json.dumps(nameless))
    (tmp_path / "three.yml").write_text("nodes: [{nodeName: a, algorithmName: b}]\n")
    (tmp_path / "notes.txt").write_text("")
    assert set(load_pipelines(tmp_path)) == {"p", "two", "three"}
    assert load_pipelines(None) == {}
    assert read_pipeline(tmp_path / "two.json").name == "two"


def test_stored_pipelines_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="none is no folder of stored pipelines"):
        load_pipelines(tmp_path / "none")
    (tmp_path / "bad.json").write_text('{"nodes": []}')
    (tmp_path / "worse.json").write_text("{")
    (tmp_path / "stream.json").write_text(json.dumps(PIPELINE | {"name": "s", "kind": "stream"}))
    (tmp_path / "list.yml").write_text("- a\n")
    (tmp_path / "fine.json").write_text(json.dumps(PIPELINE))
    stored = load_pipelines(tmp_path)
    assert stored_pipeline("p", stored).name == "p"
    for name, problem in (
        ("bad", r"bad\.json: nodes: it must have one node"),
        ("worse", r"worse\.json is not valid JSON"),
        ("s", r"stream\.json: kind: streaming pipelines run in HKube only"),
        ("list", r"list\.yml: must be an object"),
    ):
        with pytest.raises(DescriptorError, match=problem):
            stored_pipeline(name, stored)


def test_two_stored_pipelines_of_one_name(tmp_path: Path) -> None:
    for name in ("bad.json", "good.json"):
        (tmp_path / name).write_text(json.dumps(PIPELINE))
    with pytest.raises(CatalogError, match=r"good\.json and .*bad\.json are both called 'p'"):
        load_pipelines(tmp_path)


def test_a_stored_pipeline_that_is_not_there() -> None:
    pipeline = parse_pipeline(PIPELINE, "p")
    assert missing_pipeline("x", {}) == (
        "there is no stored pipeline 'x'; --pipelines names a folder of them"
    )
    assert missing_pipeline("stok", {"stock": pipeline}).endswith("'stok': did you mean 'stock'?")
    assert missing_pipeline("x", {"stock": pipeline}).endswith("'x'; there are stock")


def test_an_algorithm_or_a_folder_is_no_pipeline(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("def start(args): pass")
    with pytest.raises(DescriptorError, match=r"an algorithm, not a pipeline: `hkube-wrapper run "):
        read_pipeline(tmp_path / "main.py")
    with pytest.raises(DescriptorError, match="is a folder; name the pipeline's own file"):
        read_pipeline(tmp_path)
