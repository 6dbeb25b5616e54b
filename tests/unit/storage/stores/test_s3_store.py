"""S3, against a real server and a faulty one."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faulty_http import Answer, FaultyHttp
from tests.s3_server import KEY, SECRET, S3Server
from wrapper.config.storage_settings import S3Settings
from wrapper.errors import StorageError
from wrapper.storage.format.encoded import Encoded
from wrapper.storage.format.header import make_header
from wrapper.storage.stores import s3_store
from wrapper.storage.stores.retries import Retries
from wrapper.storage.stores.s3_store import S3Store
from wrapper.storage.stores.store import Missing, Unavailable

HEADER = make_header(False, "msgpack")
PATH = "local-hkube/main:job/task"


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    server = S3Server("local-hkube")
    yield server
    server.close()


def open_store(url: str, patience: float = 5.0, **changes: Any) -> S3Store:
    settings = S3Settings(url, KEY, SECRET, verify_ssl=False, ca_file="")
    return S3Store(settings._replace(**changes), patience)


def test_header_is_in_the_metadata(server: S3Server) -> None:
    open_store(server.url).write(PATH, Encoded(HEADER, memoryview(b"payload")))
    found = server.client.get_object(Bucket="local-hkube", Key="main:job/task")
    assert found["Body"].read() == b"payload"
    assert found["Metadata"] == {"header": base64.b64encode(HEADER).decode()}
    read = open_store(server.url).read(PATH)
    assert (read.header, bytes(read.payload)) == (HEADER, b"payload")


@pytest.mark.parametrize("metadata", [{}, {"header": "?"}, {"header": "AAAA"}, {"other": "x"}])
def test_object_without_a_header(server: S3Server, metadata: dict[str, str]) -> None:
    key = {"Bucket": "local-hkube", "Key": "j/foreign"}
    server.client.put_object(**key, Body=b"[1]", Metadata=metadata)
    read = open_store(server.url).read("local-hkube/j/foreign")
    assert (read.header, bytes(read.payload)) == (b"", b"[1]")


@pytest.mark.parametrize("key", ["a b/ü", "%41/~#?", "a*[x]/c|d", "main:x/" + "k" * 500])
def test_keys_are_used_unchanged(server: S3Server, key: str) -> None:
    store = open_store(server.url)
    store.write(f"local-hkube/{key}", Encoded(b"", b"x"))
    assert server.client.get_object(Bucket="local-hkube", Key=key)["Body"].read() == b"x"
    assert bytes(store.read(f"local-hkube/{key}").payload) == b"x"


def test_large_objects_are_sent_in_parts(server: S3Server) -> None:
    payload = bytearray(65 * 1024 * 1024)
    payload[-1] = 7
    open_store(server.url).write(PATH, Encoded(HEADER, payload))
    head = server.client.head_object(Bucket="local-hkube", Key="main:job/task")
    assert head["ContentLength"] == len(payload)
    assert head["Metadata"] == {"header": base64.b64encode(HEADER).decode()}
    assert head["ETag"].endswith('-5"')  # five parts
    assert bytes(open_store(server.url).read(PATH).payload) == payload


def test_empty_payload(server: S3Server) -> None:
    open_store(server.url).write(PATH, Encoded(HEADER, b""))
    assert open_store(server.url).read(PATH).size == 0


def test_missing_object_and_bucket(server: S3Server) -> None:
    store = open_store(server.url)
    with pytest.raises(Missing, match="the object does not exist"):
        store.read("local-hkube/j/gone")
    with pytest.raises(StorageError, match="the bucket 'other-bucket' does not exist"):
        store.read("other-bucket/j/x")
    with pytest.raises(StorageError, match="the bucket 'other-bucket' does not exist"):
        store.write("other-bucket/j/x", Encoded(b"", b"x"))


def test_unreachable_service() -> None:
    with pytest.raises(Unavailable, match="does not respond: connection refused"):
        open_store("http://127.0.0.1:1").read(PATH)


@pytest.mark.parametrize(
    "status, code, kind, text",
    [
        (403, "AccessDenied", StorageError, "check AWS_ACCESS_KEY_ID"),
        (403, "InvalidAccessKeyId", StorageError, "InvalidAccessKeyId"),
        (401, "", StorageError, "check AWS_ACCESS_KEY_ID"),
        (400, "InvalidArgument", StorageError, "rejects the request: InvalidArgument"),
        (404, "NoSuchKey", Missing, "object does not exist"),
        (429, "SlowDown", Unavailable, "responds with 429 SlowDown"),
        (500, "InternalError", Unavailable, "responds with 500 InternalError"),
        (503, "", Unavailable, "responds with 503"),
        (507, "XMinioStorageFull", StorageError, "no space is left"),
    ],
)
def test_error_responses(status: int, code: str, kind: type[StorageError], text: str) -> None:
    with FaultyHttp() as service:
        service.always(status, f"<Error><Code>{code}</Code></Error>" if code else "")
        store = open_store(service.url)
        for act in (lambda: store.read(PATH), lambda: store.write(PATH, Encoded(b"", b"x"))):
            with pytest.raises(StorageError, match=text) as raised:
                act()
            assert type(raised.value) is kind
            assert "\n" not in str(raised.value) and service.url in str(raised.value)


def connections(listener: socket.socket) -> int:
    """Return the number of connections to a listening socket."""
    listener.setblocking(False)
    with ExitStack() as accepted:
        for count in range(1000):
            try:
                accepted.enter_context(listener.accept()[0])
            except BlockingIOError:
                return count
    raise AssertionError("far too many")


@pytest.mark.parametrize("size, tries", [(None, 3), (1, 3), (2_000_000, 1), (70_000_000, 1)])
def test_silent_service_takes_no_longer_than_others(
    monkeypatch: pytest.MonkeyPatch, size: int | None, tries: int
) -> None:
    within = 0.9
    lines: list[str] = []
    monkeypatch.setattr(s3_store, "_SHORTEST_SILENCE", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        store = open_store(url, patience=within)

        def act() -> None:
            if size is None:
                store.read(PATH)
            else:
                store.write(PATH, Encoded(b"", bytes(size)))

        begun = time.monotonic()
        with pytest.raises(Unavailable, match="does not respond: the request timed out"):
            Retries(within, lines.append).run("it", act)
        took = time.monotonic() - begun
        assert 0.25 < took < 2.5  # three retries of three attempts would take longer
        assert 1 <= connections(silent) <= tries
    if tries > 1:
        assert [line.rpartition("; ")[2] for line in lines] == ["retrying for 0.9 s"]


@pytest.mark.parametrize("size, tries", [(1, 1), (2_000_000, 2)])
def test_failed_part_is_sent_again_alone(size: int, tries: int) -> None:
    answers = [Answer(503, b"", 0), Answer(200, b"", 0)]
    with FaultyHttp() as service:
        service.answer = lambda method: answers.pop(0)
        with ExitStack() as stack:
            if tries == 1:  # only `Retries` repeats it
                stack.enter_context(pytest.raises(Unavailable, match="responds with 503"))
            open_store(service.url).write(PATH, Encoded(b"", bytes(size)))
        assert len(answers) == 2 - tries


def test_incomplete_response() -> None:
    with FaultyHttp() as service:
        service.always(200, "short", length=500)
        with pytest.raises(Unavailable, match="does not respond"):
            open_store(service.url).read(PATH)


def test_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_store, "_TIMEOUT", timedelta(seconds=1))
    with FaultyHttp() as service:
        service.answer = lambda method: Answer(200, b"x" * 1000, 1000, pause=0.02)
        with pytest.raises(Unavailable):
            open_store(service.url).read(PATH)


def test_large_object_may_take_longer(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    opened = S3Store._open

    def noted(self: S3Store, name: str, is_large: bool) -> Any:
        asked.append(is_large)
        return opened(self, name, is_large)

    monkeypatch.setattr(s3_store, "_SLOWEST", 1)
    monkeypatch.setattr(S3Store, "_open", noted)
    store = open_store(server.url)
    store.write(PATH, Encoded(b"", b"x" * 61))
    assert bytes(store.read(PATH).payload) == b"x" * 61
    assert asked == [False, True]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_to_another_host_is_refused(status: int) -> None:
    with FaultyHttp() as service, FaultyHttp() as other:
        other.always(200, "evil")
        elsewhere = other.url.replace("127.0.0.1", "localhost") + "/x"
        service.answer = lambda method: Answer(status, b"", 0, location=elsewhere)
        store = open_store(service.url)
        for act in (
            lambda: store.read(PATH),
            lambda: store.write(PATH, Encoded(b"", b"x")),
        ):
            with pytest.raises(StorageError, match="redirects the request to another address"):
                act()
        assert other.headers == []


def test_private_certificate(tmp_path: Path) -> None:
    import trustme

    authority = trustme.CA()
    with FaultyHttp(authority.issue_cert("127.0.0.1")) as service:
        service.always(200, "[1]")
        assert bytes(open_store(service.url).read(PATH).payload) == b"[1]"
        with pytest.raises(StorageError, match="certificate is not valid: set AWS_CA_BUNDLE"):
            open_store(service.url, verify_ssl=True).read(PATH)
        file = tmp_path / "authority.pem"
        authority.cert_pem.write_to_path(file)
        trusting = open_store(service.url, verify_ssl=True, ca_file=str(file))
        assert bytes(trusting.read(PATH).payload) == b"[1]"
        missing = open_store(service.url, verify_ssl=True, ca_file=str(tmp_path / "gone"))
        with pytest.raises(StorageError, match="AWS_CA_BUNDLE"):
            missing.read(PATH)


def test_without_a_key_requests_are_not_signed() -> None:
    with FaultyHttp() as service:
        service.always(200, "[1]")
        open_store(service.url, access_key_id="", secret_access_key="").read(PATH)
        open_store(service.url).read(PATH)
        assert ["authorization" in headers for headers in service.headers] == [False, True]
