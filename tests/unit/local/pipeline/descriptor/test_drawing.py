"""How a pipeline is drawn."""

from __future__ import annotations

from wrapper.local.pipeline.descriptor.drawing import as_lines, as_mermaid
from wrapper.local.pipeline.descriptor.parsing import parse_pipeline

PIPELINE = parse_pipeline(
    {
        "name": "p",
        "nodes": [
            {"nodeName": "last", "algorithmName": "z", "input": ["@many", "@many.x"]},
            {"nodeName": "many", "algorithmName": "y", "input": ["#@one", "#[1,2]"]},
            {"nodeName": "one", "algorithmName": 'a"b', "input": ["@flowInput.x"]},
        ],
        "edges": [{"source": "one", "target": "last"}],
    },
    "p.json",
)


def test_lines_follow_the_data() -> None:
    assert list(as_lines(PIPELINE)) == [
        "pipeline p",
        '  one (a"b)',
        "  many (y) <- one (#@one)",
        "  last (z) <- many (@many, @many.x), one",
    ]


def test_mermaid() -> None:
    assert list(as_mermaid(PIPELINE)) == [
        "flowchart LR",
        '    n0["last<br/>z"]',
        '    n1["many<br/>y"]',
        '    n2["one<br/>a#34;b"]',
        '    n1 -- "@many, @many.x" --> n0',
        "    n2 -.-> n0",
        '    n2 -- "#35;@one" --> n1',
    ]
