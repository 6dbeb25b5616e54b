"""Who may connect to a local worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from wrapper.local.worker.job import make_job
from wrapper.local.worker.worker import LocalWorker

TOKEN = "s3cret"


@pytest.fixture
def worker() -> Iterator[LocalWorker]:
    with LocalWorker(token=TOKEN) as opened:
        yield opened


def url(worker: LocalWorker, token: str = TOKEN) -> str:
    return f"ws://127.0.0.1:{worker.port}/?storage=v1&encoding=json&token={token}"


@pytest.mark.parametrize(
    ("options", "token", "reason"),
    [
        ({"origin": "https://evil.example"}, TOKEN, "requests of web pages are refused"),
        ({"origin": "null"}, TOKEN, "requests of web pages are refused"),
        ({}, "", "the token in the URL is missing or wrong"),
        ({}, "S3CRET", "the token in the URL is missing or wrong"),
    ],
)
def test_strangers_are_refused(
    worker: LocalWorker, options: dict[str, Any], token: str, reason: str
) -> None:
    outcome = worker.begin(make_job([1], "alg"))
    with pytest.raises(InvalidStatus) as refused:
        connect(url(worker, token), **options)
    assert refused.value.response.status_code == 403
    assert reason in refused.value.response.body.decode()
    assert not worker.is_connected
    assert not outcome.done()


def test_name_of_another_host_is_refused(worker: LocalWorker) -> None:
    """A page whose host name leads to 127.0.0.1 (DNS rebinding) sends its own name."""
    import socket

    with socket.create_connection(("127.0.0.1", worker.port), 10) as raw:
        raw.sendall(
            f"GET /?token={TOKEN} HTTP/1.1\r\nHost: evil.example:{worker.port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 403")


def test_second_algorithm_is_refused_while_one_is_connected(worker: LocalWorker) -> None:
    with connect(url(worker)) as first:
        worker.begin(make_job([1], "alg"))
        assert "initialize" in str(first.recv(10))
        with pytest.raises(InvalidStatus) as refused:
            connect(url(worker))
        assert "an algorithm is connected already" in refused.value.response.body.decode()
        first.ping().wait(10)
