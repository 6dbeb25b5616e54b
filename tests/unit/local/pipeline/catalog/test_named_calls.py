"""What algorithms start by name is checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from wrapper.local.pipeline.catalog.algorithms import Algorithms, find_algorithms
from wrapper.local.pipeline.catalog.folders import CatalogError
from wrapper.local.pipeline.catalog.named_calls import check_named_calls, named_calls
from wrapper.local.pipeline.catalog.resources import Resources
from wrapper.local.pipeline.catalog.stored_pipelines import UnusablePipeline
from wrapper.local.pipeline.descriptor.parsing import parse_pipeline
from wrapper.local.source.source import open_algorithm
from wrapper.local.worker.answers import AnswerTable, CallKind, Result

STORED, ALGORITHM = CallKind.STORED_PIPELINE, CallKind.ALGORITHM


def start(line: str) -> str:
    return f"def start(args, api):\n    {line}\n"


@pytest.mark.parametrize(
    ("code", "calls"),
    [
        (start("api.start_stored_subpipeline('p', {})"), [(STORED, "p", "main.py:2")]),
        (start("api.start_stored_subpipeline(name='p')"), [(STORED, "p", "main.py:2")]),
        (start("return [api.start_algorithm('a', [])]"), [(ALGORITHM, "a", "main.py:2")]),
        (start("api.start_algorithm(algorithmName='a')"), [(ALGORITHM, "a", "main.py:2")]),
        ("import b\nstart = b.start\n", [(STORED, "in-b", "b.py:2")]),
        (start("api.start_algorithm(args['input'][0])"), []),
        (start("api.start_algorithm(f'a{1}')"), []),
        (start("api.start_algorithm()"), []),
        (start("start_algorithm('a')"), []),
        (start("try: api.start_algorithm('a')\n    except Exception: pass"), []),
        (start("try: pass\n    except Exception: api.start_algorithm('a')"), []),
        (start("if args: api.start_algorithm('a')"), []),
        (start("return args and api.start_algorithm('a')"), []),
        (start("for _ in args: api.start_algorithm('a')"), [(ALGORITHM, "a", "main.py:2")]),
        (
            start("try: pass\n    finally: api.start_algorithm('a')"),
            [(ALGORITHM, "a", "main.py:3")],
        ),
        ("def start(", []),
    ],
)
def test_calls_with_a_literal_name_are_found(
    tmp_path: Path, code: str, calls: list[tuple[CallKind, str, str]]
) -> None:
    (tmp_path / "main.py").write_text(code)
    (tmp_path / "b.py").write_text(start("api.start_stored_subpipeline('in-b')"))
    with open_algorithm(tmp_path) as source:
        found = named_calls(source)
    assert [(call.kind, call.name, call.place) for call in found] == calls


def check(
    folder: Path,
    codes: Mapping[str, str],
    stored: Mapping[str, Any] | None = None,
    answers: AnswerTable | None = None,
) -> list[str]:
    """Check the algorithm `a` of a folder; return the problems."""
    for name, code in codes.items():
        (folder / f"{name}.py").write_text(code)
    with Algorithms(find_algorithms(folder), "here") as algorithms:
        resources = Resources(algorithms, {}, stored or {}, answers or AnswerTable())
        try:
            check_named_calls(["a"], resources)
        except CatalogError as error:
            return str(error).split("\n")
    return []


def pipeline(*algorithms: str) -> Any:
    nodes = [{"nodeName": name, "algorithmName": name} for name in algorithms]
    return parse_pipeline({"name": "p", "nodes": nodes}, "p")


CALLS_P = start("api.start_stored_subpipeline('p')")
CALLS_B = start("api.start_algorithm('b', [])")
PLAIN = start("return 1")


def test_missing_pipeline_is_reported_with_its_place(tmp_path: Path) -> None:
    (problem,) = check(tmp_path, {"a": CALLS_P})
    assert problem == (
        "a.py:2: 'a' starts the stored pipeline 'p', but there is no stored pipeline 'p'; "
        "give a folder of them with --pipelines"
    )


def test_what_exists_is_fine(tmp_path: Path) -> None:
    codes = {"a": CALLS_P, "b": PLAIN}
    assert check(tmp_path, codes, {"p": pipeline("b")}) == []
    assert check(tmp_path, {"a": CALLS_B, "b": PLAIN}) == []
    assert check(tmp_path, {"a": start("api.start_algorithm('a', [])")}) == []


def test_answers_stand_in_for_what_is_missing(tmp_path: Path) -> None:
    answers = AnswerTable(pipelines={"p": Result(1)}, algorithms={"b": Result(1)})
    assert check(tmp_path, {"a": CALLS_P + CALLS_B}, answers=answers) == []


def test_calls_are_followed_through_algorithms_and_pipelines(tmp_path: Path) -> None:
    codes = {"a": CALLS_B, "b": CALLS_P, "c": start("api.start_stored_subpipeline('q')")}
    assert [text.partition(":")[0] for text in check(tmp_path, codes)] == ["b.py"]
    (problem,) = check(tmp_path, codes, {"p": pipeline("c")})
    assert problem.startswith("c.py:2: 'c' starts the stored pipeline 'q', but there is no")
    (problem,) = check(tmp_path, codes, {"p": pipeline("nowhere")})
    assert "b.py:2: 'b' starts the stored pipeline 'p', but p: nodes[0] 'nowhere'" in problem
    (problem,) = check(tmp_path, codes, {"p": UnusablePipeline("it is broken")})
    assert problem == "b.py:2: 'b' starts the stored pipeline 'p', but it is broken"
