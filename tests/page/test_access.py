"""Who can reach the page, by raw requests."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.page.conftest import DevCommand


class Door:
    """Sends requests to the page's server.

    Args:
        command: the command that serves it.
    """

    def __init__(self, command: DevCommand) -> None:
        self.port = command.port
        self.host = f"127.0.0.1:{self.port}"
        parts = urlsplit(command.link)
        self.first = f"{parts.path}?{parts.query}"
        _, headers, _ = self.get(self.first)
        self.set_cookie = headers["Set-Cookie"]
        self.cookie = self.set_cookie.partition(";")[0]

    def get(
        self, path: str, host: str | None = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Return the status, the headers and the body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest("GET", path, skip_host=True)
            for name, value in ({"Host": host or self.host} | headers).items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    path = tmp_path_factory.mktemp("algorithm") / "main.py"
    path.write_text("def start(args):\n    return 1\n")
    with ExitStack() as stack:
        command = DevCommand(path, "--port", "0")
        stack.callback(command.end)
        yield Door(command)


def test_link_becomes_a_cookie_that_scripts_and_other_sites_cannot_use(door: Door) -> None:
    status, headers, _ = door.get(door.first)

    assert status == 303
    assert headers["Location"] == "/"
    assert door.set_cookie.endswith("; HttpOnly; SameSite=Strict; Path=/")


@pytest.mark.parametrize(
    "path", ["/", "/static/js/main.js", "/runs/1", "/runs/1/result.json", "/?token=wrong"]
)
def test_without_the_cookie_everything_is_forbidden(door: Door, path: str) -> None:
    status, _, body = door.get(path)

    assert status == 403
    assert b"open the page with the link that hkube-wrapper dev prints" in body
    assert door.get(path, Cookie=door.cookie + "x")[0] == 403


def test_another_host_name_is_forbidden(door: Door) -> None:
    assert door.get("/", Cookie=door.cookie)[0] == 200
    assert door.get("/", host=f"localhost:{door.port}", Cookie=door.cookie)[0] == 200
    for host in (f"evil.example:{door.port}", "127.0.0.1:1", "127.0.0.1"):
        assert door.get("/", host=host, Cookie=door.cookie)[0] == 403


def test_another_origin_is_forbidden(door: Door) -> None:
    for origin in ("http://evil.example", "null", f"https://{door.host}", "http://127.0.0.1:1"):
        assert door.get("/", Cookie=door.cookie, Origin=origin)[0] == 403
    assert door.get("/", Cookie=door.cookie, Origin=f"http://{door.host}")[0] == 200


@pytest.mark.parametrize("wrong", ["no origin", "other origin", "no cookie"])
def test_socket_is_for_the_page_only(door: Door, wrong: str) -> None:
    url = f"ws://{door.host}/socket"
    cookie = {} if wrong == "no cookie" else {"Cookie": door.cookie}
    origin = {
        "no origin": None,
        "other origin": Origin("http://evil.example"),
        "no cookie": Origin(f"http://{door.host}"),
    }[wrong]

    with (
        pytest.raises(InvalidStatus) as refused,
        connect(
            url,
            origin=origin,
            additional_headers=cookie,
            proxy=None,
        ),
    ):
        pass

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "path", ["/static/../page_server.py", "/static/%2e%2e/page_server.py", "/static//etc/passwd"]
)
def test_only_files_of_the_page_are_served(door: Door, path: str) -> None:
    assert door.get(path, Cookie=door.cookie)[0] == 404


def test_every_answer_forbids_foreign_content(door: Door) -> None:
    for path in ("/", "/static/js/main.js", "/nowhere"):
        _, headers, _ = door.get(path, Cookie=door.cookie)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_first_view_is_small(door: Door) -> None:
    import zlib

    files = ["style.css", "vendor/htm-preact.js", "vendor/uplot.css"]
    static = Path("wrapper/local/web/server/static")
    files += [f"js/{file.name}" for file in static.glob("js/*.js")]
    sent = [door.get(f"/static/{name}", Cookie=door.cookie)[2] for name in files]

    assert all(sent)
    assert sum(len(zlib.compress(each)) for each in sent) < 150_000
