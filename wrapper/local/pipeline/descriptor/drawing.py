"""Draws a pipeline: which node waits for which, as lines or as a Mermaid diagram."""

from __future__ import annotations

from collections.abc import Iterator

from .descriptor import Node, Pipeline


def as_lines(pipeline: Pipeline) -> Iterator[str]:
    """Yield a line for each node, after the nodes that it waits for."""
    yield f"pipeline {pipeline.name}"
    for node in _ordered(pipeline):
        waits = _waits(node)
        after = ", ".join(f"{parent} ({how})" if how else parent for parent, how in waits)
        yield f"  {node.name} ({node.algorithm})" + (f" <- {after}" if after else "")


def as_mermaid(pipeline: Pipeline) -> Iterator[str]:
    """Yield the lines of a Mermaid flowchart."""
    yield "flowchart LR"
    ids = {node.name: f"n{number}" for number, node in enumerate(pipeline.nodes)}
    for node in pipeline.nodes:
        yield f'    {ids[node.name]}["{_text(node.name)}<br/>{_text(node.algorithm)}"]'
    for node in pipeline.nodes:
        for parent, how in _waits(node):
            arrow = f'-- "{_text(how)}" -->' if how else "-.->"
            yield f"    {ids[parent]} {arrow} {ids[node.name]}"


def _waits(node: Node) -> list[tuple[str, str]]:
    """Return each parent of a node, with the references that use its result."""
    used = {
        parent: list(dict.fromkeys(str(each) for each in node.references if each.name == parent))
        for parent in node.parents
    }
    return [(parent, ", ".join(references)) for parent, references in used.items()]


def _ordered(pipeline: Pipeline) -> list[Node]:
    waiting, done = list(pipeline.nodes), dict[str, Node]()
    while waiting:  # a descriptor has no cycle
        ready = [node for node in waiting if done.keys() >= set(node.parents)]
        done |= {node.name: node for node in ready}
        waiting = [node for node in waiting if node.name not in done]
    return list(done.values())


def _text(name: str) -> str:
    """Return a text that Mermaid shows as it is."""
    return "".join(c if c.isalnum() or c in " -_.:@,*" else f"#{ord(c)};" for c in name)
