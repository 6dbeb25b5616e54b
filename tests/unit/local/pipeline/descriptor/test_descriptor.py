"""What a parsed node knows about other nodes."""

from __future__ import annotations

import pytest

from wrapper.local.pipeline.descriptor import descriptor
from wrapper.local.pipeline.descriptor.parsing import parse_pipeline
from wrapper.local.pipeline.descriptor.references import Tree, references_of


def test_references_are_looked_up_once_however_many_tasks_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nodes = [
        {"nodeName": "a", "algorithmName": "one", "input": [list(range(1000))]},
        {"nodeName": "b", "algorithmName": "one", "input": ["@a"]},
    ]
    pipeline = parse_pipeline({"name": "p", "nodes": nodes}, "a test")
    looked_up: list[object] = []

    def counting(tree: Tree) -> object:
        looked_up.append(tree)
        return references_of(tree)

    monkeypatch.setattr(descriptor, "references_of", counting)
    for _ in range(3):
        assert [node.name for node in pipeline.children_of("a")] == ["b"]
        assert pipeline.nodes[1].parents == ("a",)
    assert len(looked_up) <= len(pipeline.nodes)
