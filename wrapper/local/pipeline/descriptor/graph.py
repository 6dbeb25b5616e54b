"""Checks which node waits for which: references must exist, and must not form a cycle."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ....text.suggestions import did_you_mean, near_miss
from .descriptor import Node, Pipeline
from .references import DATA_SOURCE, FLOW_INPUT, references_of

ReportMistake = Callable[[str, str], None]
"""Receives a mistake: its place and a text."""


def check_graph(pipeline: Pipeline, report: ReportMistake) -> None:
    """Report duplicate node names, unknown nodes in references, and cycles."""
    nodes: dict[str, Node] = {}
    for index, node in enumerate(pipeline.nodes):
        if node.name in nodes:
            first = list(nodes).index(node.name)
            report(f"nodes[{index}]", f"'{node.name}' is already the name of nodes[{first}]")
            return
        nodes[node.name] = node
    for index, node in enumerate(pipeline.nodes):
        _check_references(index, node, nodes, report)
        for name in node.after:
            if name not in nodes:
                alike = did_you_mean(near_miss(name, nodes))
                report("edges", f"source '{name}' of '{node.name}' is not a node{alike}")
    if any(parent not in nodes for node in nodes.values() for parent in node.parents):
        return
    cycle = _find_cycle(nodes)
    if cycle is not None:
        report("nodes", f"the nodes wait for each other in a cycle: {' -> '.join(cycle)}")


def _check_references(
    index: int, node: Node, nodes: Mapping[str, Node], report: ReportMistake
) -> None:
    for position, tree in enumerate(node.inputs):
        for reference in references_of(tree):
            if reference.is_flow_input or reference.name in nodes:
                continue
            if reference.name == DATA_SOURCE:
                text = f"'{reference}': data sources are available in HKube only"
            else:
                alike = near_miss(reference.name, [*nodes, FLOW_INPUT])
                text = f"'{reference}' refers to an unknown node{did_you_mean(alike)}"
            report(f"nodes[{index}] '{node.name}': input[{position}]", text)


def _find_cycle(nodes: Mapping[str, Node]) -> list[str] | None:
    """Return the names of the nodes in a cycle, with the first name repeated at the end."""
    finished: set[str] = set()
    for start in nodes:
        path: list[str] = []
        on_path: set[str] = set()
        pending = [(start, False)]  # a stack, not recursion: a pipeline may be long
        while pending:
            name, leaving = pending.pop()
            if leaving:
                finished.add(path.pop())
                on_path.discard(name)
            elif name in on_path:
                # The search follows parents; a reader follows the data, in the other direction.
                return [name, *reversed(path[path.index(name) :])]
            elif name not in finished:
                path.append(name)
                on_path.add(name)
                pending.append((name, True))
                pending += [(parent, False) for parent in nodes[name].parents]
    return None
