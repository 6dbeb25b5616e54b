"""The order in which the nodes of a streaming pipeline are drained: from the sources on."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def levels(parents: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Return the nodes in levels: a node comes after all nodes that it gets messages from.

    Of nodes that send to each other in a cycle, the first comes first.

    Args:
        parents: the nodes that each node gets messages from.
    """
    left = {name: {each for each in found if each in parents} for name, found in parents.items()}
    ordered = []
    while left:
        level = [name for name, found in left.items() if not found & left.keys()]
        if not level:
            # In a cycle that no other cycle leads to, a node comes before only its own ancestors.
            before = {name: _ancestors(name, left) for name in left}
            in_cycles = [name for name in left if name in before[name]]
            level = [min(in_cycles, key=lambda name: len(before[name]))]
        ordered.append(level)
        for name in level:
            del left[name]
    return ordered


def _ancestors(name: str, parents: Mapping[str, Collection[str]]) -> set[str]:
    found: set[str] = set()
    pending = [name]
    while pending:
        for parent in parents[pending.pop()]:
            if parent in parents and parent not in found:
                found.add(parent)
                pending.append(parent)
    return found
