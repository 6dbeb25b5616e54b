"""The algorithm of a gateway: messages that are posted over HTTP enter the pipeline here.

It runs as a node of its own. It may import the standard library only.
"""

import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LONGEST_BODY = 100_000_000


class RequestRefused(Exception):
    """A request cannot be accepted."""


def start(args, hkube_api):  # type: ignore[no-untyped-def]
    """Serve HTTP on the port that the input names, until the task is stopped."""

    class Handler(GatewayHandler):
        api = hkube_api
        job = args

    with ThreadingHTTPServer(("127.0.0.1", args["input"][0]), Handler) as server:
        server.timeout = 0.1
        while not hkube_api.stop_requested:
            server.handle_request()


class GatewayHandler(BaseHTTPRequestHandler):
    """Answers as HKube's gateway does."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60.0
    api: Any = None
    job: "Mapping[str, Any] | None" = None

    def do_POST(self) -> None:
        """Send a message into the pipeline."""
        try:
            body = self._body()
            url = urlsplit(self.path)
            if not url.path.endswith("/streaming/message"):
                return self._answer(404, {"error": "post to /streaming/message?flow=NAME"})
            flow = parse_qs(url.query).get("flow", [None])[0]
            self._send(body, flow)
        except RequestRefused as refused:
            return self._answer(400, {"error": str(refused)})
        return self._answer(200, {"message": "OK"})

    def do_GET(self) -> None:
        """Describe the pipeline."""
        if not urlsplit(self.path).path.endswith("/info"):
            return self._answer(404, {"error": "get /streaming/info"})
        statistics = self.api.streaming_statistics()
        assert self.job is not None, "the server runs in a task"
        flows = self.job["parsedFlow"]
        info = {"jobId": self.job["jobId"], "flows": list(flows), "queue": statistics}
        return self._answer(200, info)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length") or ""
        if not length.isdigit() or int(length) > LONGEST_BODY:
            self.close_connection = True
            raise RequestRefused(f"the request needs a Content-Length of at most {LONGEST_BODY:,}")
        return self.rfile.read(int(length))

    def _send(self, body: bytes, flow: "str | None") -> None:
        assert self.job is not None, "the server runs in a task"
        flows = self.job["parsedFlow"]
        if flow is not None and flow not in flows:
            raise RequestRefused(f"there is no flow '{flow}'; the flows are {', '.join(flows)}")
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RequestRefused(f"the body is not valid JSON: {error}") from error
        try:
            self.api.send_message(message, flow)
        except Exception as error:
            raise RequestRefused(f"the message cannot be sent: {error}") from error

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body, default=repr).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Requests are not logged: the pipeline's own lines say what arrives."""
