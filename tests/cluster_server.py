"""A small server with the shapes of HKube's API, over real HTTP, and with faults on demand."""

from __future__ import annotations

import io
import json
import tarfile
import threading
from collections import deque
from collections.abc import Callable
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import unquote

PREFIX = "/hkube/api-server/api/v1/"


class Asked(NamedTuple):
    """A request that the server has read.

    Attributes:
        method: HTTP's method.
        path: below the API's base, without percent signs.
        headers: with names in lower case.
        body: the bytes.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, bytes]:
        """The parts of a multipart body, by name."""
        kind = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = BytesParser().parsebytes(kind + self.body)
        parts: dict[str, bytes] = {}
        for part in message.get_payload():
            assert not isinstance(part, str)
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            assert isinstance(name, str) and isinstance(content, bytes)
            parts[name] = content
        return parts

    @property
    def code(self) -> dict[str, bytes]:
        """The files in the archive of a form."""
        with tarfile.open(fileobj=io.BytesIO(self.form["file"])) as archive:
            files = ((each.name, archive.extractfile(each)) for each in archive)
            return {name: content.read() for name, content in files if content is not None}


class Reply(NamedTuple):
    """An answer in place of the API's.

    Attributes:
        status: HTTP's status.
        body: an object, which becomes JSON; or the bytes.
        kind: the content type.
        sent: how many bytes of the body are sent before the connection ends; None for all.
        location: where it redirects to.
    """

    status: int
    body: Any = b""
    kind: str = "application/json"
    sent: int | None = None
    location: str = ""


DROPPED = Reply(0)
"""The connection ends without an answer."""
SILENT = Reply(-1)
"""Nothing is sent until the server closes."""


class ClusterServer:
    """HKube's API on 127.0.0.1.

    Attributes:
        asked: all requests so far.
        faults: for `METHOD path`, replies that are given instead, one after the other.
        account: the name and the password that `auth/login` accepts; None: there is no login.
        tokens: the tokens that are valid at the moment; none needed if there is no account.
        build_states: what `builds/status` answers, one after the other; the last one stays.
        job_states: the same for `exec/status`.
        result: what `exec/results` answers.
        applied: what `store/algorithms/apply` answers.
        versions: what `versions/algorithms/NAME` answers.
    """

    def __init__(self, port: int = 0) -> None:
        self.asked: list[Asked] = []
        self.faults: dict[str, deque[Reply]] = {}
        self.account: tuple[str, str] | None = None
        self.tokens: set[str] = set()
        self.build_states: deque[Any] = deque(
            [{"status": "completed", "algorithmImage": "r/green:1"}]
        )
        self.job_states: deque[Any] = deque([{"status": "completed", "data": {}}])
        self.result: Any = {"data": [], "status": "completed"}
        self.applied: dict[str, Any] = {"messages": ["first build"], "buildId": "green-b1"}
        self.versions: Any = [{"buildId": "green-b1", "version": "v-1", "semver": "1.0.0"}]
        self.on_request: Callable[[Asked], None] = lambda asked: None
        self._logins = 0
        self._closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20.0  # seconds until a silent client is dropped

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                path = unquote(self.path.removeprefix(PREFIX))
                asked = Asked(self.command, path, headers, body)
                server.asked.append(asked)
                server.on_request(asked)
                self._send(server._reply(asked))

            do_POST = do_GET  # noqa: N815 - the base class looks for this name

            def _send(self, reply: Reply) -> None:
                if reply == SILENT:
                    server._closing.wait()
                if reply in (SILENT, DROPPED):
                    self.close_connection = True
                    return
                body = reply.body
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.kind)
                self.send_header("Content-Length", str(len(data)))
                if reply.location:
                    self.send_header("Location", reply.location)
                self.end_headers()
                self.wfile.write(data[: reply.sent])
                self.close_connection = reply.sent is not None

            def log_message(self, *args: object) -> None:
                """Print nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def fault(self, request: str, *replies: Reply) -> None:
        """Answer the next requests with these replies.

        Args:
            request: such as `GET exec/status/job-1`.
            replies: one for each request.
        """
        self.faults.setdefault(request, deque()).extend(replies)

    def requests(self, request: str) -> list[Asked]:
        """Return the requests of a method and a path so far."""
        return [each for each in self.asked if f"{each.method} {each.path}" == request]

    def __enter__(self) -> ClusterServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _reply(self, asked: Asked) -> Reply:
        request = f"{asked.method} {asked.path}"
        faults = self.faults.get(request)
        if faults:
            return faults.popleft()
        if request == "POST auth/login":
            return self._log_in(asked)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if self.account is not None and token not in self.tokens:
            return Reply(401, {"error": {"code": 401, "message": "Unauthorized"}})
        return self._answer(asked, request)

    def _log_in(self, asked: Asked) -> Reply:
        if self.account is None:
            return Reply(404, {"error": {"code": 404, "message": "Not Found"}})
        if (asked.json["username"], asked.json["password"]) != self.account:
            return Reply(401, {"error": {"code": 401, "message": "Invalid user credentials"}})
        self._logins += 1
        token = f"token-{self._logins}"
        self.tokens.add(token)
        return Reply(200, {"message": "ok", "data": {"access_token": token, "expires_in": 60}})

    def _answer(self, asked: Asked, request: str) -> Reply:
        area, _, rest = asked.path.partition("/")
        match asked.method, area, rest.split("/")[0]:
            case "POST", "store", _:
                algorithm = json.loads(asked.form["payload"])
                return Reply(200, {"algorithm": algorithm, **self.applied})
            case "GET", "builds", "status":
                return Reply(200, _next(self.build_states))
            case "GET", "versions", _:
                return Reply(200, self.versions)
            case "POST", "versions", _:
                return Reply(201, {"status": "success"})
            case "POST", "exec", "stop":
                return Reply(200, {"message": "OK"})
            case "POST", "exec", _:
                return Reply(200, {"jobId": "green:job-1.green"})
            case "GET", "exec", "status":
                return Reply(200, _next(self.job_states))
            case "GET", "exec", "results":
                return Reply(200, self.result)
        return Reply(404, {"error": {"code": 404, "message": f"{request} Not Found"}})


def _next(states: deque[Any]) -> Any:
    return states.popleft() if len(states) > 1 else states[0]
