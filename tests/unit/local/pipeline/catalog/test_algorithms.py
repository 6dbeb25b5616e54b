"""The algorithms that are available on a machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wrapper.errors import WrapperError
from wrapper.local.pipeline.catalog.algorithms import (
    Algorithms,
    check_algorithms,
    find_algorithms,
)
from wrapper.local.pipeline.catalog.folders import CatalogError
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
    """A folder with algorithms in every form, and with other files."""
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


def test_folder_lists_algorithms_in_every_form(folder: Path) -> None:
    found = find_algorithms(folder)
    assert set(found) == {"green", "yellow", "black", "red-alg"}
    with Algorithms(found, "here") as algorithms:
        assert algorithms.source("green").entry_point == "main.py"
        assert algorithms.source("yellow").entry_point == "yellow.py"
        assert algorithms.source("black").folder == folder / "deep" / "src"
        assert algorithms.source("black") is algorithms.source("black")
        assert "green" in algorithms
        assert "blue" not in algorithms


def test_map_paths_are_relative_to_its_folder(folder: Path) -> None:
    (folder / "map.yml").write_text("one: green\ntwo: deep/algorithm.yml\n")
    found = find_algorithms(folder / "map.yml")
    with Algorithms(found, "here") as algorithms:
        assert algorithms.source("one").folder == folder / "green"
        assert algorithms.source("two").entry_point == "run.py"


@pytest.mark.parametrize(
    "name, text, problem",
    [
        ("map.yml", "- a\n", "must map names of algorithms to paths"),
        ("map.yml", "a: 3\n", "map.yml: a must map a name to a path, both strings"),
        ("map.yml", "a: gone.py\n", r"map\.yml: a is gone\.py, but .*gone\.py does not exist"),
        ("map.yml", f"a: {'x' * 5000}\n", "does not exist"),
        ("map.yml", "a: [\n", "is not valid YAML"),
        ("map.json", "{", "is not valid JSON"),
        ("map.txt", "", "is neither a folder nor a map of algorithms"),
    ],
)
def test_invalid_map_is_rejected(tmp_path: Path, name: str, text: str, problem: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CatalogError, match=problem):
        find_algorithms(tmp_path / name)


def test_folder_without_algorithms_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="has no algorithms: for each algorithm, it must"):
        find_algorithms(tmp_path)
    with pytest.raises(CatalogError, match="does not exist; give a folder or a map file"):
        find_algorithms(tmp_path / "none")


def test_unusable_algorithm_matters_only_when_it_is_used(folder: Path) -> None:
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


def test_duplicate_algorithm_names_are_rejected(folder: Path) -> None:
    (folder / "green.py").write_text(CODE)
    with pytest.raises(CatalogError, match=r"green and .*green\.py are both named 'green'"):
        find_algorithms(folder)


def test_missing_algorithm_is_reported_with_alternatives(folder: Path) -> None:
    pipeline = parse_pipeline(PIPELINE, "p.json")
    with Algorithms(find_algorithms(folder), "algs") as algorithms:
        with pytest.raises(DescriptorError) as caught:
            check_algorithms(pipeline, "p.json", algorithms, ())
        assert str(caught.value) == (
            "p.json: nodes[1] 'b': there is no algorithm 'grean' in algs: did you mean 'green'?"
        )
        check_algorithms(pipeline, "p.json", algorithms, ["grean"])
        assert algorithms.missing("zzz").endswith(
            "'zzz' in algs; available: black, green, red-alg, yellow"
        )
    with pytest.raises(CatalogError, match="there is no algorithm 'x'; name some"):
        Algorithms({}, "name some").source("x")


def test_check_reports_a_path_that_is_not_an_algorithm(tmp_path: Path) -> None:
    pipeline = parse_pipeline(PIPELINE | {"nodes": PIPELINE["nodes"][:1]}, "p.json")
    with (
        Algorithms({"green": tmp_path / "none"}, "map") as algorithms,
        pytest.raises(WrapperError, match="does not exist"),
    ):
        check_algorithms(pipeline, "p.json", algorithms, ())


def test_path_that_the_system_rejects_is_reported() -> None:
    endless = Path("x" * 5000)
    with pytest.raises(WrapperError):
        find_algorithms(endless)
    with Algorithms({"a": endless}, "map") as algorithms, pytest.raises(WrapperError):
        algorithms.source("a")


@pytest.mark.parametrize("name", ["multiply.yml", "a.yml"])
def test_description_beside_its_file_is_one_algorithm(tmp_path: Path, name: str) -> None:
    (tmp_path / "multiply.py").touch()
    (tmp_path / name).write_text("name: multiply\ncode: {path: ., entryPoint: multiply.py}\n")
    assert find_algorithms(tmp_path) == {"multiply": tmp_path / name}


def test_description_of_another_language_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "multiply.py").touch()
    (tmp_path / "algorithm.yml").write_text("name: multiply\nenv: nodejs\ncode: {path: .}\n")
    assert find_algorithms(tmp_path) == {"multiply": tmp_path / "multiply.py"}
