"""Lines of a file on their way to a gateway."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.free_ports import free_port
from wrapper.local.pipeline.streaming.feed import MessageFeed

LIMIT = 20.0


class Gateway(BaseHTTPRequestHandler):
    """Takes messages, and refuses those that are not JSON."""

    protocol_version = "HTTP/1.1"
    taken: list[tuple[str, object]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.taken.append((self.path, json.loads(body)))
            status, answer = 200, {"message": "OK"}
        except ValueError:
            status, answer = 400, {"error": "no JSON"}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def gateway(port: int) -> Iterator[list[tuple[str, object]]]:
    handler = type("Taking", (Gateway,), {"taken": []})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = False  # so that closing waits for the connections
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield handler.taken  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()


def feed(
    lines: bytes, port: int, tmp_path: Path, flow: str | None = None
) -> SimpleQueue[str | None]:
    """Begin to feed lines; returns where the end comes."""
    path = tmp_path / "lines"
    path.write_bytes(lines)
    fd = os.open(path, os.O_RDONLY)
    ended: SimpleQueue[str | None] = SimpleQueue()

    def end(why: str | None) -> None:
        os.close(fd)
        ended.put(why)

    message_feed = MessageFeed(fd, "lines", port, flow, end)
    message_feed.start()
    message_feed.start()
    return ended


@pytest.mark.parametrize("lines", [b'1\n"\xc3\xa9"\n\n[2]', b'1\r\n"\xc3\xa9"\r\n[2]\r\n'])
def test_each_line_is_a_message(tmp_path: Path, lines: bytes) -> None:
    port = free_port()
    with gateway(port) as taken:
        assert feed(lines, port, tmp_path, "a&b").get(timeout=LIMIT) is None
    path = "/streaming/message?flow=a%26b"
    assert taken == [(path, 1), (path, "é"), (path, [2])]


def test_a_line_over_many_reads_is_one_message(tmp_path: Path) -> None:
    port = free_port()
    long = "x" * 300_000
    with gateway(port) as taken:
        assert feed(json.dumps(long).encode(), port, tmp_path).get(timeout=LIMIT) is None
    assert taken == [("/streaming/message", long)]


def test_a_refused_line_is_named(tmp_path: Path) -> None:
    port = free_port()
    with gateway(port) as taken:
        assert feed(b"1\n{\n2", port, tmp_path).get(timeout=LIMIT) == "line 2 of lines: no JSON"
    assert [value for _, value in taken] == [1]


def test_a_feed_waits_for_its_gateway(tmp_path: Path) -> None:
    port = free_port()
    ended = feed(b"1", port, tmp_path)
    with gateway(port) as taken:
        assert ended.get(timeout=LIMIT) is None
    assert [value for _, value in taken] == [1]
