"""The rows of stored inputs, in mode v3; the floor reads the same objects without a wrapper."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import msgpack
import obstore
import orjson
from obstore.store import S3Store

from tests.recorded_job import recorded_job

from .contenders import Contender, running
from .figures import Figure, at_most
from .worker import run_task

BUCKET, JOB = "local-hkube", "j"
HEADER = b"\1\x08\2\3\0\0HK"
COUNT, SIZE = 100, 1000
LARGE_COUNT, LARGE_SIZE = 20, 1_000_000
S3_SECONDS = 0.005
WARM_UP = 3

Samples = dict[str, list[float]]


def inputs(repetitions: int) -> list[Figure]:
    """Measure a task whose inputs are stored, from files and from S3."""
    value = {"text": "x" * SIZE}
    large = os.urandom(LARGE_SIZE)
    return [
        Figure("v3: 100 inputs of 1 KB from files", "ms", _files(repetitions, value), at_most(5)),
        Figure(
            "v3: 100 inputs of 1 KB from S3 that takes 5 ms",
            "ms",
            _s3(repetitions, value),
            at_most(35),
        ),
        Figure(
            "v3: 20 inputs of 1 MB from files",
            "ms",
            _files(repetitions, large, LARGE_COUNT),
            at_most(24),
        ),
    ]


def _files(repetitions: int, value: Any, count: int = COUNT) -> Samples:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        files = [Path(folder) / BUCKET / JOB / str(number) for number in range(count)]
        files[0].parent.mkdir(parents=True)
        payload = msgpack.packb(value)
        for file in files:
            file.write_bytes(HEADER + payload)

        def floor() -> None:
            for file in files:
                msgpack.unpackb(memoryview(file.read_bytes())[len(HEADER) :])

        return _measure(repetitions, count, len(payload), floor, BASE_FS_ADAPTER_DIRECTORY=folder)


def _s3(repetitions: int, value: Any) -> Samples:
    payload = msgpack.packb(value)
    with _slow_s3(payload) as url:
        store = S3Store(
            BUCKET,
            endpoint=url,
            skip_signature=True,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )

        async def get(number: int) -> Any:
            found = await obstore.get_async(store, f"{JOB}/{number}")
            return msgpack.unpackb(memoryview(await found.bytes_async()))

        async def get_all() -> None:
            await asyncio.gather(*map(get, range(COUNT)))

        def floor() -> None:
            asyncio.run(get_all())

        return _measure(
            repetitions,
            COUNT,
            len(payload),
            floor,
            DEFAULT_STORAGE="s3",
            S3_ENDPOINT_URL=url,
            AWS_ACCESS_KEY_ID="key",
            AWS_SECRET_ACCESS_KEY="secret",
        )


def _measure(
    repetitions: int, count: int, size: int, floor: Callable[[], None], **storage: str
) -> Samples:
    """Measure the milliseconds of the floor and of a task, alternately."""
    samples: Samples = {"floor": [], "wrapper": []}
    settings = {"STORAGE_PROTOCOL": "v3", "DISCOVERY_ENABLE": "false", **storage}
    first = _initialize(count, size)
    with running("wrapper", "counts", settings) as contender:
        ways: dict[str, Callable[[], float]] = {
            "floor": lambda: _seconds(floor),
            "wrapper": lambda: _run(contender, first),
        }
        for number in range(repetitions + WARM_UP):
            for name, way in ways.items():
                taken = way()
                if number >= WARM_UP:
                    samples[name].append(taken * 1000)
    return samples


def _initialize(count: int, size: int) -> bytes:
    links = [
        {"storageInfo": {"path": f"{BUCKET}/{JOB}/{number}", "size": size}}
        for number in range(count)
    ]
    job = recorded_job()
    job.update(input=["$$all"], flatInput={"0": "$$all"}, storage={"all": links}, useCache=False)
    return orjson.dumps({"command": "initialize", "data": job})


def _run(contender: Contender, first: bytes) -> float:
    return run_task(contender.peer, first).seconds


def _seconds(act: Callable[[], None]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


@contextlib.contextmanager
def _slow_s3(payload: bytes) -> Iterator[str]:
    """Run an S3 service that holds the same object under each key, and takes its time."""
    head = (
        b'HTTP/1.1 200 OK\r\nETag: "1"\r\nLast-Modified: Fri, 27 Nov 2026 00:00:00 GMT\r\n'
        b"x-amz-meta-header: %s\r\nContent-Length: %d\r\n\r\n"
    ) % (base64.b64encode(HEADER), len(payload))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError)
        with contextlib.suppress(*gone):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(S3_SECONDS)
                writer.write(head + payload)
                await writer.drain()
        writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
