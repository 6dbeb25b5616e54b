"""Results: what each type becomes on the wire, and the errors for values that cannot be sent."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from .conftest import Serve

SENT: dict[str, Any] = {
    "nan": [None, None, None, 1.5],
    "none": None,
    "zero": 0,
    "empty": "",
    "false": False,
    "tuple": [1, [2, 3]],
    "big_int": 2**80,
    "surrogate": "bad \ud800 text",
    "types": {
        "datetime": "2026-01-02T03:04:05",
        "date": "2026-01-02",
        "uuid": "00000000-0000-0000-0000-000000000007",
        "enum": "green",
        "dataclass": {"x": 1, "y": 2.5},
        "path": "/a/b",
    },
    "numpy": {
        "array": [[0, 1, 2], [3, 4, 5]],
        "scalar": 0.5,
        "nan": [None, 1.0],
        "int": 7,
        "bool": True,
    },
}
REFUSED = {
    "bytes": ("items[1]", "bytes", "WORKER_ALGORITHM_ENCODING=msgpack"),
    "bytearray": ("bytearray", "WORKER_ALGORITHM_ENCODING=msgpack"),
    "set": ("items[3]", "set"),
    "object": ("[0].deep", "object"),
    "function": ("result.f", "function"),
    "generator": ("generator",),
    "cycle": (),
    "deep": (),
}


def test_each_type_as_json(serve: Serve) -> None:
    worker, _ = serve("results")
    for name, value in SENT.items():
        result = worker.run(name)
        assert (name, type(result), result) == (name, type(value), value)
    result = worker.run("keys")
    assert set(result) >= {"1", "2.5"}
    assert all(isinstance(key, str) for key in result)


def test_unsendable_result_is_reported_with_its_path(serve: Serve) -> None:
    worker, _ = serve("results")
    for name, parts in REFUSED.items():
        message = worker.fail(name)["message"]
        assert len(message.splitlines()) == 1
        for part in parts:
            assert part in message
        assert worker.run("zero") == 0


@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
def test_binary_encodings_keep_what_they_can(serve: Serve, encoding: str) -> None:
    worker, _ = serve("results", env={"WORKER_ALGORITHM_ENCODING": encoding})
    assert worker.run("bytes") == {"items": [1, b"\x00\xff"]}
    assert bytes(worker.run("bytearray")) == b"abc"
    not_a_number, infinite, negative, plain = worker.run("nan")
    assert math.isnan(not_a_number)
    assert (infinite, negative, plain) == (math.inf, -math.inf, 1.5)
    assert worker.run("types") == SENT["types"]
    assert worker.run("numpy")["array"] == [[0, 1, 2], [3, 4, 5]]
    assert set(worker.run("keys")) >= {"1", "2.5"}
    assert "items[3]" in worker.fail("set")["message"]
    worker.fail("cycle")
    assert worker.run("none") is None


def test_result_of_150_mb_is_an_error_with_size_and_limit(serve: Serve) -> None:
    worker, _ = serve("huge_result")
    error = worker.fail(150_000_000, timeout=60)
    assert error["code"] == "PayloadTooLarge"
    digits = error["message"].replace(",", "").replace("_", "")
    assert "150" in digits
    assert "100" in digits
    assert worker.connections == 1
    assert worker.run(3) == "xxx"


def test_limit_is_a_setting(serve: Serve) -> None:
    worker, _ = serve("huge_result", env={"WORKER_SOCKET_MAX_PAYLOAD_BYTES": "1000"}, max_size=1000)
    assert len(worker.run(900)) == 900
    error = worker.fail(1001)
    assert error["code"] == "PayloadTooLarge"
    assert "1000" in error["message"].replace(",", "")
    assert worker.run(3) == "xxx"
    assert worker.connections == 1


def test_error_larger_than_the_limit_is_still_an_error(serve: Serve) -> None:
    worker, _ = serve("raises", env={"WORKER_SOCKET_MAX_PAYLOAD_BYTES": "2000"}, max_size=2000)
    assert worker.fail("huge")["message"]
    assert worker.connections == 1


@pytest.mark.parametrize("encoding", ["json", "msgpack", "bson"])
@pytest.mark.parametrize("storage", ["v1", "v3"])
def test_keys_that_become_the_same_text_are_named_in_the_log(
    serve: Serve, tmp_path: Path, encoding: str, storage: str
) -> None:
    code = "def start(args):\n    return {'x': {1: 'a', '1': 'b'}}\n"
    env = {"WORKER_ALGORITHM_ENCODING": encoding}
    if storage == "v3":
        env |= {
            "DEFAULT_STORAGE": "fs",
            "BASE_FS_ADAPTER_DIRECTORY": str(tmp_path),
            "STORAGE_ENCODING": encoding,
        }
    worker, wrapper = serve({"main.py": code}, env=env)
    worker.run()
    wrapper.wait_until(lambda: "WARN" in wrapper.stderr, "the warning")
    assert "the keys 1 and '1' in result.x both become '1'" in wrapper.stderr
