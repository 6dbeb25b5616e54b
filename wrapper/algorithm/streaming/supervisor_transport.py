"""Messages leave and enter the algorithm process through the supervisor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...errors import StorageError, StreamingError
from ...ipc import stream_frames
from ...ipc.frames import FrameKind
from ...storage.format.encoded import Encoded, decode_value, encode_value
from ...storage.format.header import make_header
from ...streaming.flows import FlowError, Flows, Hops, names_of
from ...streaming.wire import WireError, decode_plain, encode_plain
from .gates import Gate, Reply
from .transport import ArrivedMessage, FramePipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...protocol.encoding.encoding import Encoding

# Looked up once, because access to an enum member is slow.
_SEND, _HANDLED, _COMMAND = (
    FrameKind.STREAM_SEND,
    FrameKind.STREAM_HANDLED,
    FrameKind.STREAM_COMMAND,
)
_REPLY_WITHIN = 10.0  # seconds


class SupervisorTransport:
    """Sends messages through the supervisor, which keeps them until they are handled.

    Args:
        pipes: lead to the supervisor.
        generation: of the task.
        data: of the task's `initialize` message.
        encoding: of values between nodes.
        warn: writes a line to the log.
        flows: of the pipeline.
    """

    def __init__(
        self,
        pipes: FramePipe,
        generation: int,
        data: Mapping[str, Any],
        encoding: Encoding,
        warn: Callable[[str], None],
        flows: Flows,
    ) -> None:
        self._pipes = pipes
        self._generation = generation
        self._encoding = encoding
        self._warn = warn
        self._flows = flows
        self._numbers = {name: number for number, name in enumerate(names_of(data.get("childs")))}
        # Messages mostly take the same few ways: their prefixes are made once.
        self._prefixes: dict[str, bytes | None] = {}
        self._warned: set[str] = set()
        self._room = Gate()
        self._replies: dict[int, Reply] = {}
        # Most messages have one of these.
        self._raw, self._encoded = (make_header(is_raw, encoding.name) for is_raw in (True, False))
        self._no_flow = encode_plain([], encoding)

    def send(self, value: Any, flow_name: str | None, hops: Hops | None) -> None:
        prefix = self._prefix(flow_name, hops)
        if prefix is None:
            return
        header, payload = self._encode(value)
        self._room.wait()
        frame = b"".join((prefix, header, payload))
        self._pipes.send(_SEND, self._generation, frame)

    def _encode(self, value: Any) -> tuple[bytes, Any]:
        if type(value) is bytes:
            return self._raw, value
        encoded = encode_value(value, self._encoding.name, "message")
        return encoded.header or self._encoded, encoded.payload

    def _prefix(self, flow_name: str | None, hops: Hops | None) -> bytes | None:
        """What stands before the value in a frame; None: the message reaches no child."""
        if not self._numbers:
            raise StreamingError(
                "Trying to send a message from a none stream pipeline or after close had been "
                "applied on algorithm: this node has no children"
            )
        if hops is not None and not hops and flow_name is None:
            # As HKube's Python wrapper does; algorithms rely on it.
            self._warn_once(
                "end",
                "a message's flow ends at this node, but it sends one on: that takes the default "
                "flow. Name a flow, or do not send there",
            )
            hops = None
        if flow_name is not None or hops is None:
            key = flow_name if flow_name is not None else ""
            if key not in self._prefixes:
                self._prefixes[key] = self._make_prefix(flow_name, None)
            prefix = self._prefixes[key]
        else:
            prefix = self._make_prefix(None, hops)
        if prefix is None:
            self._warn_once(
                "nobody",
                "a message's flow names no child of this node: it is dropped, like HKube's "
                "wrappers do",
            )
        return prefix

    def _make_prefix(self, flow_name: str | None, hops: Hops | None) -> bytes | None:
        try:
            route = self._flows.begin(flow_name) if hops is None else self._flows.follow(hops)
        except FlowError as error:
            raise StreamingError(str(error)) from None
        if not route.targets:
            return None
        targets = [self._numbers[name] for name in dict.fromkeys(route.targets)]
        return stream_frames.outgoing_prefix(targets, encode_plain(route.rest, self._encoding))

    def _warn_once(self, kind: str, text: str) -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            self._warn(f"streaming: {text}")

    def listen(self, listening: bool) -> None:
        self._command(listen=listening)

    def handled(self, message: ArrivedMessage, milliseconds: float) -> None:
        payload = stream_frames.handled_payload(message.delivery, milliseconds)
        self._pipes.send(_HANDLED, self._generation, payload)

    def reset(self, count: int | None) -> None:
        self._command(reset=count)

    def statistics(self) -> dict[str, Any]:
        reply = Reply()
        number = id(reply)
        self._replies[number] = reply
        try:
            self._command(statistics=number)
            return reply.wait(_REPLY_WITHIN)
        finally:
            self._replies.pop(number, None)

    def close(self) -> None:
        self._room.open()
        for reply in list(self._replies.values()):
            reply.set({})

    # ------------------------------------------------------- from the listening thread --
    def decode(self, payload: bytes | bytearray) -> ArrivedMessage | None:
        """A message's frame; None if its value cannot be decoded: then it counts as handled."""
        message = stream_frames.parse_incoming(payload)
        try:
            if message.header == self._raw:
                value: Any = bytes(message.payload)
            else:
                stored = Encoded(bytes(message.header), message.payload)
                value = decode_value(stored, self._encoding.name)
            is_end = message.flow == self._no_flow
            flow = [] if is_end else decode_plain(message.flow, self._encoding)
        except (StorageError, WireError) as error:
            self._warn(f"streaming: a message of {message.origin} cannot be decoded: {error}")
            self.handled(ArrivedMessage(message.delivery, None, message.origin, []), 0.0)
            return None
        hops = [hop for hop in flow if isinstance(hop, dict)] if isinstance(flow, list) else []
        return ArrivedMessage(message.delivery, value, message.origin, hops)

    def take_reply(self, payload: bytes | bytearray) -> None:
        """A reply of the supervisor, or news of its queue."""
        reply = stream_frames.parse_command(payload)
        if "full" in reply:
            if reply["full"]:
                self._room.shut()
            else:
                self._room.open()
        waiting = self._replies.get(reply.get("request", 0))
        if waiting is not None:
            waiting.set(reply.get("statistics") or {})

    def _command(self, **command: Any) -> None:
        self._pipes.send(_COMMAND, self._generation, stream_frames.command_payload(**command))
