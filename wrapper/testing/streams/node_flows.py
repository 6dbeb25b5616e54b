"""The pipeline around the node under test: its parents, its children, and the ways of messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from ...local.pipeline.descriptor.flows import FlowSyntaxError, Hops, edges_of, names_in, parse_flow
from ...streaming.job import STREAM_KIND
from ...text.suggestions import did_you_mean, near_miss
from ..request.wrong_use import WrongUse

ONLY_FLOW = "flow"
"""The name of the flow if a test gives just one."""


class MessageWay(NamedTuple):
    """How a message reaches the node under test.

    Attributes:
        origin: the node that sends it.
        rest: the part of its flow that travels with it.
    """

    origin: str
    rest: Hops


class NodeFlows:
    """The flows of the pipeline, seen from the node under test.

    Args:
        given: the flows by name, or the text of the only flow.
        node: the name of the node under test.
        default: the name of the default flow; None: the first one.

    Attributes:
        node: the name of the node under test.
        parents: the nodes that send messages to it, over all flows.
        children: the nodes that receive messages from it, over all flows.
        names: the flows' names.

    Raises:
        WrongUse: a flow is invalid, or none of them names the node.
    """

    def __init__(self, given: str | Mapping[str, str], node: str, default: str | None) -> None:
        texts = {ONLY_FLOW: given} if isinstance(given, str) else dict(given)
        self.node = node
        self._parsed = {name: _parse(name, text) for name, text in texts.items()}
        self.names = list(self._parsed)
        if not self.names:
            raise WrongUse('flows needs a flow, for example "source >> main >> sink"')
        self.default = self._known_flow(default) if default is not None else self.names[0]
        edges = [edge for hops in self._parsed.values() for edge in edges_of(hops)]
        nodes = list(dict.fromkeys(name for edge in edges for name in edge))
        if node not in nodes:
            raise WrongUse(
                f"the flows do not name the node '{node}'{did_you_mean(near_miss(node, nodes))}; "
                f"pass nodeName= to say which node the algorithm is: {', '.join(nodes)}"
            )
        self.parents = list(dict.fromkeys(source for source, target in edges if target == node))
        self.children = list(dict.fromkeys(target for source, target in edges if source == node))

    def job_entries(self, stateless: bool | None) -> dict[str, Any]:
        """Return the entries of the node's job that concern streaming.

        Args:
            stateless: whether `start` is called for each message; None: as in HKube, where a node
                without parents is stateful and any other one stateless.

        Raises:
            WrongUse: a node without parents cannot be stateless.
        """
        if stateless and not self.parents:
            raise WrongUse(
                f"'{self.node}' gets no messages in these flows, so it cannot be stateless"
            )
        is_stateless = bool(self.parents) if stateless is None else stateless
        return {
            "kind": STREAM_KIND,
            "stateType": "stateless" if is_stateless else "stateful",
            "parents": self.parents,
            "childs": self.children,
            "parsedFlow": self._parsed,
            "defaultFlow": self.default,
            "isScaled": is_stateless,
        }

    def way(self, origin: str | None, flow: str | None) -> MessageWay:
        """Return how a message gets to the node.

        Args:
            origin: the parent that sends it; None: the only one.
            flow: the name of its flow; None: the default flow, or the only one that fits.

        Raises:
            WrongUse: no flow leads there, or several do.
        """
        if not self.parents:
            raise WrongUse(f"'{self.node}' gets no messages in these flows")
        if origin is not None and origin not in self.parents:
            hint = did_you_mean(near_miss(origin, self.parents))
            raise WrongUse(
                f"'{origin}' sends nothing to '{self.node}'{hint}; "
                f"origin= may be {' or '.join(self.parents)}"
            )
        names = self.names if flow is None else [self._known_flow(flow)]
        fits = {
            name: origins
            for name in names
            if (origins := self._origins(name)) and (origin is None or origin in origins)
        }
        if not fits:
            chain = f"{origin or 'any node'} >> {self.node}"
            raise WrongUse(f"the flow '{flow}' has no '{chain}'")
        name = self.default if self.default in fits else next(iter(fits))
        if name != self.default and len(fits) > 1:
            raise WrongUse(f"several flows lead to '{self.node}': pass flow=, {' or '.join(fits)}")
        origins = fits[name]
        if origin is None and len(origins) > 1:
            raise WrongUse(
                f"several nodes send to '{self.node}': pass origin=, {' or '.join(origins)}"
            )
        return self._way(origin or origins[0], self._parsed[name])

    def child(self, node: str | None) -> str:
        """Return the name of a child that a test means.

        Raises:
            WrongUse: there is no such child, or several and none was named.
        """
        if node is None and len(self.children) == 1:
            return self.children[0]
        if node in self.children:
            assert node is not None
            return node
        if not self.children:
            raise WrongUse(f"'{self.node}' sends no messages in these flows")
        hint = did_you_mean(near_miss(node or "", self.children))
        meant = f"'{node}' gets nothing from '{self.node}'{hint}" if node else "which node"
        raise WrongUse(f"{meant}; node= may be {' or '.join(self.children)}")

    def _known_flow(self, name: str) -> str:
        if name not in self._parsed:
            raise WrongUse(
                f"there is no flow '{name}'{did_you_mean(near_miss(name, self.names))}; "
                f"the flows are {', '.join(self.names)}"
            )
        return name

    def _origins(self, flow: str) -> list[str]:
        return [hop["source"] for hop in self._parsed[flow] if self.node in hop["next"]]

    def _way(self, origin: str, hops: Hops) -> MessageWay:
        """Leave out the hops that a message has behind it, on the shortest way."""
        targets = {hop["source"]: hop["next"] for hop in hops}
        starts = [name for name in targets if not any(name in each for each in targets.values())]
        before: dict[str, str | None] = dict.fromkeys(starts or [hops[0]["source"]])
        open_ends = deque(before)
        while open_ends and origin not in before:
            at = open_ends.popleft()
            for name in targets.get(at, ()):
                if name not in before:
                    before[name] = at
                    open_ends.append(name)
        passed: set[str] = set()
        step: str | None = origin
        while step is not None:
            passed.add(step)
            step = before.get(step)
        return MessageWay(origin, [hop for hop in hops if hop["source"] not in passed])


def _parse(name: str, text: object) -> Hops:
    if not isinstance(text, str):
        raise WrongUse(f"the flow '{name}' must be a text like 'A >> B', not {text!r:.40}")
    try:
        return parse_flow(text, names_in(text))
    except FlowSyntaxError as error:
        raise WrongUse(f"the flow '{name}' is invalid: {error}") from error
