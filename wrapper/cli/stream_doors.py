"""Where messages enter a streaming pipeline from outside: gateways, and the node that is fed."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from ..local.pipeline.descriptor.stream import StreamPipeline
from ..local.pipeline.streaming.feed import MessageFeed
from ..local.pipeline.streaming.stream_engine import StreamView
from ..text.suggestions import did_you_mean, near_miss
from .json_values import UsageError


@dataclass(frozen=True)
class StreamRequest:
    """The options of the command that only streaming pipelines have.

    Attributes:
        feed: a file of messages, or `-`.
        feed_node: the entry node that the feed replaces.
        feed_flow: the flow of the feed's messages.
        duration: seconds after which the pipeline is drained.
        messages: how many messages leave the pipeline before it ends.
        drains: whether the others are drained when a stateful node has ended.
        port: the HTTP port of the first gateway; 0 takes a free one.
    """

    feed: str | None = None
    feed_node: str | None = None
    feed_flow: str | None = None
    duration: float | None = None
    messages: int | None = None
    drains: bool = False
    port: int = 0

    @property
    def names(self) -> list[str]:
        """The options that were given, as a user writes them."""
        given = {
            "--feed": self.feed,
            "--feed-node": self.feed_node,
            "--feed-flow": self.feed_flow,
            "--duration": self.duration,
            "--messages": self.messages,
            "--drain": self.drains or None,
            "--port": self.port or None,
        }
        return [name for name, value in given.items() if value is not None]


class StreamDoors:
    """The places where messages enter from outside: gateways, and the node that is fed."""

    def __init__(
        self,
        pipeline: StreamPipeline,
        ports: Mapping[str, int],
        fed: str | None,
        view: StreamView,
    ) -> None:
        self.feed: MessageFeed | None = None
        self._names = {node.name: node.gateway for node in pipeline.nodes if node.gateway}
        self._ports = ports
        self._fed = fed
        self._view = view

    def is_ready(self, node: str) -> None:
        """Say where a gateway listens, and begin to feed."""
        if node == self._fed and self.feed is not None:
            self.feed.start()
        name = self._names.pop(node, None)
        if name is not None:
            port = self._ports[node]
            address = f"http://127.0.0.1:{port}/streaming/message?flow=NAME"
            self._view.say(f"gateway {name}: POST {address}")


def fed_node(pipeline: StreamPipeline, request: StreamRequest) -> str | None:
    """Return the node that gets the feed; None without a feed."""
    if request.feed is None:
        if request.feed_node is not None or request.feed_flow is not None:
            option = "--feed-node" if request.feed_node is not None else "--feed-flow"
            raise UsageError(f"{option} needs --feed")
        return None
    if request.feed_flow is not None and request.feed_flow not in pipeline.flows:
        alike = did_you_mean(near_miss(request.feed_flow, pipeline.flows))
        raise UsageError(f"--feed-flow: there is no flow '{request.feed_flow}'{alike}")
    entries = [node.name for node in pipeline.entry_nodes]
    if request.feed_node is not None:
        if request.feed_node not in entries:
            raise UsageError(
                f"--feed-node: '{request.feed_node}' is not an entry node; the entry nodes are: "
                f"{', '.join(entries) or '(none)'}"
            )
        return request.feed_node
    if len(entries) != 1:
        raise UsageError(
            f"--feed needs --feed-node: the pipeline's entry nodes are {', '.join(entries)}"
            if entries
            else "--feed needs an entry node, but every node gets messages from another one"
        )
    return entries[0]


def gateway_ports(pipeline: StreamPipeline, fed: str | None, first: int) -> dict[str, int]:
    """Return the HTTP port of each gateway, and of the node that is fed."""
    ports = {}
    for node in pipeline.nodes:
        if node.gateway is not None:
            ports[node.name], first = _take_port(first), 0
    if fed is not None and fed not in ports:
        ports[fed] = _take_port(0)
    if first:
        raise UsageError("--port is for gateways, but the pipeline has no gateway")
    return ports


def _take_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(f"--port: cannot listen on {port}: {error.strerror}") from error
        return int(probe.getsockname()[1])


def open_feed(feed: str, stack: ExitStack) -> tuple[int, str]:
    """Return the file descriptor of a feed, and what errors call it."""
    if feed == "-":
        return 0, "stdin"
    try:
        fd = os.open(feed, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"--feed: cannot read {feed}: {error.strerror}") from error
    stack.callback(os.close, fd)
    return fd, feed
