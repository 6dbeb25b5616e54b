"""Which nodes a message goes to, and the part of its flow that travels with it.

A flow is a list of hops, `{"source": "A", "next": ["B", "C"]}`. A message carries the hops that
are still before it, so a node need not know the pipeline. Source: HKube's wrappers and API server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Hops = list[dict[str, Any]]


class Route(NamedTuple):
    """Where one message goes.

    Attributes:
        rest: the hops that travel with it.
        targets: this node's children that receive it; empty: the message is dropped.
    """

    rest: Hops
    targets: tuple[str, ...]


class FlowError(Exception):
    """A message cannot be sent along the flow that was asked for."""


class Flows:
    """The flows of a pipeline, as one of its nodes sees them.

    Args:
        node: this node's name.
        parsed: hops by name of the flow, as `initialize` brings them (`parsedFlow`).
        default: name of the flow that a message takes by default; None if there is none.
        children: the names of the nodes that receive messages of this node, over all flows.
    """

    def __init__(
        self,
        node: str,
        parsed: Mapping[str, Hops],
        default: str | None,
        children: Sequence[str],
    ) -> None:
        self._node = node
        self._parsed = parsed
        self._default = default
        self._children = frozenset(children)
        self._named: dict[str, Route] = {}

    def begin(self, name: str | None = None) -> Route:
        """The route of a message that begins a flow.

        Args:
            name: the flow's; None: the default flow.

        Raises:
            FlowError: no such flow, or no default flow.
        """
        if name is None:
            if self._default is None:
                raise FlowError("Streaming default flow is None")
            name = self._default
        route = self._named.get(name)
        if route is None:
            hops = self._parsed.get(name)
            if hops is None:
                raise FlowError(f"No such flow {name}")
            route = self._named[name] = self.follow(hops)
        return route

    def follow(self, hops: Hops) -> Route:
        """The route of a message that goes on along the hops that came with another one."""
        for number, hop in enumerate(hops):
            if hop.get("source") == self._node:
                targets = tuple(name for name in hop.get("next", ()) if name in self._children)
                return Route([*hops[:number], *hops[number + 1 :]], targets)
        return Route(hops, ())


def read_flows(data: Mapping[str, Any]) -> Flows:
    """The flows of a job.

    Args:
        data: of its `initialize` message; whatever is missing or malformed counts as empty.
    """
    parsed = data.get("parsedFlow")
    flows = {
        str(name): [hop for hop in hops if isinstance(hop, dict)]
        for name, hops in (parsed.items() if isinstance(parsed, dict) else ())
        if isinstance(hops, list)
    }
    default = data.get("defaultFlow")
    return Flows(
        str(data.get("nodeName") or ""),
        flows,
        default if isinstance(default, str) else None,
        names_of(data.get("childs")),
    )


def names_of(value: object) -> list[str]:
    """The names in a list of them; empty if it is no list."""
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
