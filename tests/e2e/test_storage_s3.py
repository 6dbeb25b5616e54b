"""Storage mode v3 with S3: a real server and a faulty one."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faulty_http import Answer, FaultyHttp
from tests.s3_server import KEY, SECRET, S3Server

from .conftest import Serve
from .harness.events import Message
from .harness.storage import decoded, encoded, run_stored, stored_job

BUCKET = "local-hkube"


class S3Storage:
    """S3 as HKube uses it."""

    def __init__(self, server: S3Server, encoding: str) -> None:
        self.server = server
        self.encoding = encoding
        self._count = 0

    @property
    def environment(self) -> dict[str, str | None]:
        return {**environment(self.server.url), "STORAGE_ENCODING": self.encoding}

    def put(self, value: Any) -> dict[str, Any]:
        self._count += 1
        key = f"main:p19pa1nk/earlier-{self._count}"
        header, payload = encoded(value, self.encoding)
        metadata = {"header": base64.b64encode(header).decode()} if header else {}
        self.server.client.put_object(Bucket=BUCKET, Key=key, Body=payload, Metadata=metadata)
        return {"path": f"{BUCKET}/{key}", "size": len(payload)}

    def get(self, storing: Message) -> Any:
        assert isinstance(storing.data, dict)
        info = storing.data["storageInfo"]
        bucket, _, key = info["path"].partition("/")
        found = self.server.client.get_object(Bucket=bucket, Key=key)
        payload = found["Body"].read()
        assert info["size"] == len(payload)
        return decoded(base64.b64decode(found["Metadata"].get("header", "")), payload)


def environment(url: str) -> dict[str, str | None]:
    return {
        "DEFAULT_STORAGE": "s3",
        "S3_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "DISCOVERY_ENABLE": "false",
    }


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    server = S3Server(BUCKET)
    yield server
    server.close()


@pytest.mark.parametrize("encoding", ["msgpack", "bson", "json"])
def test_inputs_and_results(serve: Serve, server: S3Server, encoding: str) -> None:
    storage = S3Storage(server, encoding)
    worker, wrapper = serve("one_argument", env=storage.environment)
    values: list[Any] = [{"a": [1, "☃", None]}, b"\x00raw", []]
    for value in values:
        assert storage.get(run_stored(worker, stored_job("$$k", k=storage.put(value)))) == value
    links = [{"storageInfo": storage.put({"n": number}), "path": "n"} for number in range(20)]
    assert storage.get(run_stored(worker, stored_job("$$k", k=links))) == list(range(20))
    assert SECRET not in wrapper.stderr
    assert f"storage v3: inputs and results are S3 at {server.url}" in wrapper.stderr


def test_errors_of_the_service(serve: Serve, server: S3Server) -> None:
    storage = S3Storage(server, "msgpack")
    worker, _ = serve("one_argument", env=storage.environment)

    def message(path: str) -> str:
        error = worker.fail(**stored_job("$$k", k={"path": path, "size": 1}))
        assert error["code"] == "StorageError"
        return str(error["message"])

    assert "the object does not exist" in message(f"{BUCKET}/j/gone")
    assert "the bucket 'another' does not exist" in message("another/j/gone")
    assert storage.get(run_stored(worker, stored_job(5))) == 5


def test_missing_bucket(serve: Serve, server: S3Server) -> None:
    env = {**environment(server.url), "CLUSTER_NAME": "other"}
    worker, _ = serve("one_argument", env=env)
    message = worker.fail(**stored_job(5))["message"]
    assert message.startswith("the result (1 bytes) cannot be stored at other-hkube/main:p19pa1nk/")
    assert "the bucket 'other-hkube' does not exist" in message


INFO = {"path": f"{BUCKET}/j/t", "size": 3}


def healthy(method: str) -> Answer:
    body = b"[7]" if method == "GET" else b""
    return Answer(200, body, len(body))


def test_service_that_comes_back(serve: Serve) -> None:
    with FaultyHttp() as service:
        service.always(503, "")
        env = {**environment(service.url), "STORAGE_ENCODING": "json"}
        worker, wrapper = serve("one_argument", env=env)
        for what in ("reading local-hkube/j/t", "writing local-hkube/main:p19pa1nk/"):
            worker.initialize(**stored_job("$$k", k=INFO))
            worker.expect("initialized")
            worker.send("start", {})
            worker.expect("started")
            wrapper.wait_for_log(f"{what}")
            # Reads succeed from here on; in the second round, they always did.
            service.answer = healthy
            assert worker.wait_for("storing", timeout=30).command == "storing"
            worker.expect("done")
            service.answer = lambda method: (
                healthy(method) if method == "GET" else Answer(503, b"", 0)
            )


def test_service_unavailable_for_five_seconds(serve: Serve) -> None:
    with FaultyHttp() as service:
        since = time.monotonic()

        def answer(method: str) -> Answer:
            return healthy(method) if time.monotonic() - since > 5 else Answer(500, b"", 0)

        service.answer = answer
        env = {**environment(service.url), "STORAGE_ENCODING": "json"}
        worker, _ = serve("one_argument", env=env)
        run_stored(worker, stored_job("$$k", k=INFO), timeout=40)
        assert time.monotonic() - since > 5


def test_service_that_stays_unavailable(serve: Serve) -> None:
    with FaultyHttp() as service:
        service.always(500, "<Error><Code>InternalError</Code></Error>")
        env = {**environment(service.url), "STORAGE_RETRY_TIMEOUT": "1", "STORAGE_ENCODING": "json"}
        worker, _ = serve("one_argument", env=env)
        message = worker.fail(**stored_job("$$k", k=INFO))["message"]
        assert "the service responds with 500 InternalError" in message
        message = worker.fail(**stored_job(5))["message"]
        assert message.startswith("the result (1 bytes) cannot be stored at")
        service.answer = healthy
        run_stored(worker, stored_job("$$k", k=INFO))


def test_stop_while_the_service_is_silent(serve: Serve) -> None:
    with FaultyHttp() as service:
        asked, go_on = threading.Event(), threading.Event()

        def answer(method: str) -> Answer:
            asked.set()
            go_on.wait(30)
            return healthy(method)

        service.answer = answer
        env = {**environment(service.url), "STORAGE_ENCODING": "json"}
        worker, wrapper = serve("one_argument", env=env)
        worker.initialize(**stored_job("$$k", k=INFO))
        worker.expect("initialized")
        worker.send("start", {})
        worker.expect("started")
        assert asked.wait(20)
        worker.send("stop", {"forceStop": True})
        worker.expect("stopped", timeout=4)
        go_on.set()
        run_stored(worker, stored_job("$$k", k=INFO))
        assert "killing" not in wrapper.stderr


def test_slow_answers(serve: Serve) -> None:
    with FaultyHttp() as service:
        pause = threading.Event()

        def answer(method: str) -> Answer:
            pause.wait(1.5)
            return healthy(method)

        service.answer = answer
        env = {**environment(service.url), "STORAGE_ENCODING": "json"}
        worker, _ = serve("one_argument", env=env)
        begun = time.monotonic()
        run_stored(worker, stored_job("$$k", k=INFO))
        assert time.monotonic() - begun > 3
