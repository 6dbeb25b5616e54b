"""The supervisor's side of a stream: the frames that it gets, and those that it sends."""

from __future__ import annotations

from typing import Any

from wrapper.algorithm.streaming.stream import MessageStream
from wrapper.algorithm.streaming.supervisor_transport import SupervisorTransport
from wrapper.ipc import stream_frames
from wrapper.ipc.frames import FrameKind
from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.storage.format.encoded import Encoded, decode_value, encode_value
from wrapper.storage.format.header import make_header
from wrapper.streaming.flows import read_flows
from wrapper.streaming.wire import decode_plain, encode_plain

GENERATION = 7
JOB: dict[str, Any] = {
    "kind": "stream",
    "nodeName": "B",
    "childs": ["C", "D"],
    "parsedFlow": {
        "main": [{"source": "A", "next": ["B"]}, {"source": "B", "next": ["C"]}],
        "both": [{"source": "B", "next": ["C", "D"]}, {"source": "C", "next": ["D"]}],
        "elsewhere": [{"source": "A", "next": ["X"]}],
    },
    "defaultFlow": "main",
}


class Supervisor:
    """Keeps the frames of a stream.

    Attributes:
        frames: each with its kind and payload.
        warnings: the lines for the log.
        errors: what listeners raised.
    """

    def __init__(self, encoding: str = "msgpack", job: dict[str, Any] = JOB) -> None:
        self.encoding = get_encoding(encoding)
        self.frames: list[tuple[FrameKind, bytes]] = []
        self.warnings: list[str] = []
        self.errors: list[BaseException] = []
        self.transport = SupervisorTransport(
            self, GENERATION, job, self.encoding, self.warnings.append, read_flows(job)
        )
        self.stream = MessageStream(self.transport, self.errors.append)

    def send(self, kind: int, generation: int, payload: bytes | bytearray = b"") -> None:
        assert generation == GENERATION
        self.frames.append((FrameKind(kind), bytes(payload)))

    def sent(self) -> list[tuple[list[int], Any, Any]]:
        """The messages that were sent: numbers of the children, the value, the rest of the flow."""
        found = []
        for kind, payload in self.frames:
            if kind == FrameKind.STREAM_SEND:
                message = stream_frames.parse_outgoing(payload)
                stored = Encoded(bytes(message.header), message.payload)
                value = decode_value(stored, self.encoding.name)
                rest = decode_plain(message.flow, self.encoding)
                found.append((list(message.targets), value, rest))
        return found

    def handled(self) -> list[int]:
        """The numbers of the deliveries that were reported as handled."""
        return [
            stream_frames.parse_handled(payload)[0]
            for kind, payload in self.frames
            if kind == FrameKind.STREAM_HANDLED
        ]

    def commands(self) -> list[dict[str, Any]]:
        """The commands that were sent."""
        return [
            stream_frames.parse_command(payload)
            for kind, payload in self.frames
            if kind == FrameKind.STREAM_COMMAND
        ]

    def deliver(self, number: int, value: Any, flow: Any = (), origin: str = "A") -> None:
        """Send a message to the stream."""
        self.stream.receive_frame(self.incoming(number, value, flow, origin))

    def incoming(self, number: int, value: Any, flow: Any = (), origin: str = "A") -> bytes:
        """The payload of a STREAM_MESSAGE."""
        encoded = encode_value(value, self.encoding.name, "message")
        header = encoded.header or make_header(False, self.encoding.name)
        rest = encode_plain(list(flow), self.encoding)
        pieces = stream_frames.incoming_pieces(
            number, origin.encode(), rest, header, encoded.payload
        )
        return b"".join(pieces)
