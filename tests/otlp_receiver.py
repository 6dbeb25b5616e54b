"""An OTLP receiver over real HTTP, for spans as JSON and as protobuf, read by OTLP's own types."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

LIMIT = 20.0  # seconds
_IDS = ("traceId", "spanId", "parentSpanId")


class Span:
    """A span that arrived.

    Args:
        span: the message of OTLP.
        resource: the attributes of its service.
    """

    def __init__(self, span: Any, resource: dict[str, Any]) -> None:
        self.name: str = span.name
        self.trace_id: str = span.trace_id.hex()
        self.span_id: str = span.span_id.hex()
        self.parent_id: str = span.parent_span_id.hex()
        self.kind: int = span.kind
        self.seconds: float = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
        self.attributes = attributes_of(span.attributes)
        self.events: list[str] = [event.name for event in span.events]
        self.failed: bool = span.status.code == 2
        self.message: str = span.status.message
        self.resource = resource


class OtlpReceiver:
    """Listens on the loopback.

    Attributes:
        statuses: the status of the next answers; 200 when it is empty.
        headers: the headers of each request; their names are in lower case.
        hold: requests wait until it is set.
    """

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        self.hold = threading.Event()
        self.hold.set()
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def wait_for(self, is_there: Callable[[dict[str, Span]], bool]) -> dict[str, Span]:
        """Wait until a condition holds on the spans by name; return them."""
        deadline = time.monotonic() + LIMIT
        with self._changed:
            while not is_there(self.by_name()):
                left = deadline - time.monotonic()
                assert left > 0, f"only {sorted(self.by_name())}"
                self._changed.wait(left)
        return self.by_name()

    def wait_for_requests(self, count: int) -> None:
        """Wait until that many requests have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.headers) >= count, LIMIT)

    def by_name(self) -> dict[str, Span]:
        return {span.name: span for span in self.spans}

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces", self.path
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver._take(
                    {name.lower(): text for name, text in self.headers.items()}, body
                )
                receiver.hold.wait(LIMIT)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # the sender has given up

            def log_message(self, *args: object) -> None:
                pass

        return Handler

    def _take(self, headers: dict[str, str], body: bytes) -> int:
        with self._changed:
            self.headers.append(headers)
            status = self.statuses.pop(0) if self.statuses else 200
            if status == 200:
                self.spans += read_spans(headers["content-type"], body)
            self._changed.notify_all()
        return status


def read_spans(content_type: str, body: bytes) -> list[Span]:
    """Read a request strictly: unknown fields and wrong types are errors."""
    request = ExportTraceServiceRequest()
    if content_type == "application/json":
        # OTLP writes ids in hexadecimal, where protobuf's JSON has base64.
        Parse(json.dumps(_with_base64_ids(json.loads(body))), request)
    else:
        assert content_type == "application/x-protobuf", content_type
        request.ParseFromString(body)
    return [
        Span(span, attributes_of(one.resource.attributes))
        for one in request.resource_spans
        for scope in one.scope_spans
        for span in scope.spans
    ]


def attributes_of(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


def _with_base64_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(item)).decode()
        if key in _IDS
        else _with_base64_ids(item)
        for key, item in value.items()
    }
