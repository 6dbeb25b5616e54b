"""The grammar of flows: `A >> B&C >> D | B >> E` says who sends messages to whom.

`|` separates chains, `>>` separates steps, and `&` joins nodes to a set. Every node of a set sends
to every node of the next set. White space does not count. Source: HKube's API server.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator
from typing import Any

from ....errors import WrapperError
from ....text.suggestions import did_you_mean, near_miss

Hops = list[dict[str, Any]]
"""A parsed flow, as `initialize` brings it: `{"source": "A", "next": ["B", "C"]}`."""

Edge = tuple[str, str]
"""A sender and a receiver."""


class FlowSyntaxError(WrapperError):
    """A flow is invalid; the text says why."""

    code = "FlowSyntaxError"


def parse_flow(text: str, nodes: Collection[str]) -> Hops:
    """Return the hops of a flow, in the order in which their sources appear.

    Args:
        text: the flow as the descriptor has it.
        nodes: the names of the pipeline's nodes.

    Raises:
        FlowSyntaxError: HKube would refuse it.
    """
    targets: dict[str, list[str]] = {}
    for source, target in _edges("".join(text.split())):
        for name in (source, target):
            if name not in nodes:
                raise FlowSyntaxError(
                    f"'{name}' is not a node of the pipeline{did_you_mean(near_miss(name, nodes))}"
                )
        if source == target:
            raise FlowSyntaxError(f"'{source}' cannot send messages to itself")
        known = targets.setdefault(source, [])
        if target in known:
            raise FlowSyntaxError(f"'{source} >> {target}' is in the flow twice")
        known.append(target)
    return [{"source": source, "next": found} for source, found in targets.items()]


def edges_of(hops: Hops) -> Iterator[Edge]:
    """Yield the sender and the receiver of each edge of a flow."""
    for hop in hops:
        for target in hop["next"]:
            yield hop["source"], target


def names_in(text: str) -> list[str]:
    """Return the names in a flow, each once, in the order in which they appear."""
    names = re.split(r">>|[&|]", "".join(text.split()))
    return list(dict.fromkeys(name for name in names if name))


def _edges(text: str) -> Iterator[Edge]:
    for chain in text.split("|"):
        steps = chain.split(">>")
        if len(steps) < 2:
            if not chain:
                raise FlowSyntaxError("there is an empty chain; write it like 'A >> B | B >> C'")
            raise FlowSyntaxError(f"'{chain}' has no '>>'; write it like 'A >> B'")
        sets = [step.split("&") for step in steps]
        for names in sets:
            if not all(names):
                raise FlowSyntaxError(f"a node's name is missing in '{chain}'")
        for sources, following in itertools.pairwise(sets):
            for source in sources:
                for target in following:
                    yield source, target
