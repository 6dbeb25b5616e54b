"""Requests to a real server that is slow, broken or away."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme

from tests.cluster_server import DROPPED, PREFIX, SILENT, ClusterServer, Reply
from tests.free_ports import free_port
from wrapper.local.cluster.access import ClusterAccess
from wrapper.local.cluster.errors import ClusterError, LostAnswer, RefusedRequest, UnsentRequest
from wrapper.local.cluster.http_client import Body, HttpClient

from .conftest import Clock

STATUS = "GET exec/status/j"
RUN = "POST exec/raw"


@pytest.mark.parametrize(
    "passing",
    [
        DROPPED,
        Reply(503, b"busy"),
        Reply(502, b"<html>", "text/html"),
        Reply(200, {"a": 1}, sent=2),
    ],
    ids=["dropped", "busy", "bad gateway", "cut in the middle"],
)
def test_get_is_repeated(server: ClusterServer, http: HttpClient, passing: Reply) -> None:
    server.fault(STATUS, passing, passing)
    assert http.get("exec/status/j", {}) == {"status": "completed", "data": {}}
    assert len(server.requests(STATUS)) == 3


def test_get_is_repeated_for_as_long_as_the_caller_is_patient(
    server: ClusterServer, http: HttpClient, clock: Clock
) -> None:
    server.fault(STATUS, *[DROPPED] * 100)
    with pytest.raises(LostAnswer, match="the connection broke"):
        http.get("exec/status/j", {}, patience=30.0)
    assert 30.0 <= clock.now - 1000.0 <= 40.0
    assert clock.pauses[:4] == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    "fault", [DROPPED, Reply(503, b"busy"), Reply(200, {"jobId": "j"}, sent=3)]
)
def test_post_that_was_sent_is_never_repeated(
    server: ClusterServer, http: HttpClient, fault: Reply
) -> None:
    server.fault(RUN, fault)
    with pytest.raises(ClusterError):
        http.post("exec/raw", Body.of_json({}), {})
    assert len(server.requests(RUN)) == 1


def test_lost_answer_of_a_post_warns_that_it_may_have_worked(
    server: ClusterServer, http: HttpClient
) -> None:
    server.fault(RUN, DROPPED)
    with pytest.raises(LostAnswer, match="may have done what was asked; look there before"):
        http.post("exec/raw", Body.of_json({}), {})


def test_post_that_could_not_be_sent_is_repeated(clock: Clock) -> None:
    port = free_port()
    servers: list[ClusterServer] = []

    def appear(seconds: float) -> None:
        clock.pause(seconds)
        servers.append(ClusterServer(port).__enter__())

    http = HttpClient(ClusterAccess(f"http://127.0.0.1:{port}{PREFIX}"), clock, appear)
    try:
        assert http.post("exec/raw", Body.of_json({}), {}) == {"jobId": "green:job-1.green"}
    finally:
        for each in servers:
            each.__exit__(None, None, None)
    assert len(servers) == 1


def test_unreachable_server_names_the_url_and_where_it_comes_from(clock: Clock) -> None:
    access = ClusterAccess(f"http://127.0.0.1:{free_port()}/", origin="/home/ann/.hkuberc")
    with pytest.raises(UnsentRequest, match=r"Connection refused \(endpoint from /home/ann"):
        HttpClient(access, clock, clock.pause).post("exec/raw", Body.of_json({}), {})


def test_silent_server_is_given_up(server: ClusterServer, access: ClusterAccess) -> None:
    clock = Clock()
    http = HttpClient(access, clock, clock.pause, answer_seconds=0.2)
    server.fault(RUN, SILENT)
    with pytest.raises(LostAnswer, match=r"no answer within 0\.2 s"):
        http.post("exec/raw", Body.of_json({}), {})
    assert len(server.requests(RUN)) == 1


@pytest.mark.parametrize(
    "body, text",
    [
        ({"error": {"code": 400, "message": "data.name should match\npattern"}}, "should match p"),
        ({"error": "no such thing"}, "no such thing"),
        ({"error": {"error": {"message": "deep"}}}, "deep"),
        ({"message": "plain"}, "plain"),
        (b"<html><body>Sign in</body></html>", "a web page"),
        (b"nothing here", "nothing here"),
        (b"", "empty"),
        (b"[" * 100_000, r"\[\[\["),
        (json.dumps({"error": "x" * 10_000}).encode(), "x…"),
    ],
)
def test_error_is_one_sentence_with_the_cluster_s_own_words(
    server: ClusterServer, http: HttpClient, body: object, text: str
) -> None:
    server.fault(RUN, Reply(400, body))
    with pytest.raises(RefusedRequest, match=text) as caught:
        http.post("exec/raw", Body.of_json({}), {})
    assert caught.value.status == 400
    assert "(HTTP 400)" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize("body", [b'{"jobId": ', b"<html>login</html>", b"\xff\xfe", b""])
def test_answer_that_is_not_json_asks_for_the_endpoint(
    server: ClusterServer, http: HttpClient, body: bytes
) -> None:
    server.fault(RUN, Reply(200, body))
    with pytest.raises(RefusedRequest, match=r"not JSON: .* Is the endpoint that of HKube's API\?"):
        http.post("exec/raw", Body.of_json({}), {})


def test_redirect_is_not_followed_but_named(server: ClusterServer, http: HttpClient) -> None:
    server.fault(RUN, Reply(302, b"", location="https://sso.example.com/"))
    with pytest.raises(RefusedRequest, match=r"redirects to https://sso\.example\.com/"):
        http.post("exec/raw", Body.of_json({}), {})


class SecureHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"ok": 1}')

    def log_message(self, *args: object) -> None:
        """Print nothing."""


@pytest.mark.parametrize("verify", [True, False])
def test_unknown_certificate_is_refused_unless_the_file_allows_it(
    verify: bool, clock: Clock
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with HTTPServer(("127.0.0.1", 0), SecureHandler) as secure:
        secure.socket = context.wrap_socket(
            secure.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=secure.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        access = ClusterAccess(f"https://127.0.0.1:{secure.server_port}/", verify=verify)
        http = HttpClient(access, clock, clock.pause)
        try:
            if verify:
                with pytest.raises(ClusterError, match=r"certificate .* SSL_CERT_FILE"):
                    http.get("x", {})
            else:
                assert http.get("x", {}) == {"ok": 1}
        finally:
            secure.shutdown()
            thread.join()


def test_proxy_of_the_environment_is_used(
    server: ClusterServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    access = ClusterAccess("http://hkube.invalid/hkube/api-server/api/v1/")
    with pytest.raises(RefusedRequest, match="Not Found"):
        HttpClient(access, clock, clock.pause).get("x", {})
    assert server.asked[0].path == "http://hkube.invalid/hkube/api-server/api/v1/x"
