"""All settings as one immutable object, read from the environment.

It uses named tuples rather than dataclasses, and text rather than pathlib for paths: either import
would take a tenth of the wrapper's start. docs/configuration.md documents the names, the defaults
and the accepted values.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from ..errors import ConfigurationError
from ..log import FORMATS, LEVELS
from .environment import EnvironmentReader
from .storage_settings import (
    DiscoverySettings,
    StorageSettings,
    read_discovery,
    read_storage,
    storage_is_configured,
)
from .streaming_settings import StreamingSettings, read_streaming
from .telemetry_settings import TelemetrySettings, read_telemetry
from .worker_address import WorkerAddress, address_of_parts, parse_url

ENCODINGS = ("json", "msgpack", "bson")

_SOCKETIO_PATH = "/socket.io/"
_SOCKETIO_QUERY = {"EIO": "3", "transport": "websocket"}  # version 3 of Engine.IO, no polling
_SOCKETIO_ENVELOPE_BYTES = 64  # what surrounds a message; the worker counts it too
_STORAGE_PROTOCOLS = ("v1", "v3")
_PUBLISHED_FOLDER = "algorithm_unique_folder"  # HKube's builder puts the user's code there
_LEVEL_ALIASES = {
    "trace": "debug",
    "silly": "debug",
    "verbose": "debug",
    "notset": "debug",
    "warn": "warning",
    "critical": "error",
    "fatal": "error",
}


class Config(NamedTuple):
    """All settings.

    Attributes:
        url: URL of the worker, with its query.
        host: host of the URL; an IPv6 address without brackets.
        port: port of the URL.
        socketio: the worker is reached over socket.io, not over its plain WebSocket.
        debug: the connection is a debug connection (WORKER_SOCKET_URL is set).
        encoding: encoding of the messages: ``json``, ``msgpack`` or ``bson``.
        storage_protocol: ``v1``: inputs and results travel over the WebSocket; ``v3``: the wrapper
            reads and writes them in HKube's storage.
        max_payload: size in bytes of the largest message that the worker accepts.
        first_initialized_delay: seconds from the opening of a connection to the first message of a
            task, at least.
        reconnect_timeout: seconds without a connection to the worker before giving up.
        algorithm_folder: absolute path of the folder with the user's code.
        entry_point: the user's module in that folder: a file or a dotted name.
        algorithm_name: the algorithm's name in HKube.
        metrics_folder: absolute path of the folder for TensorBoard files.
        metrics_mode: what happens to the files of earlier tasks; see docs/configuration.md.
        dev_mode: reload the user's code when it changes.
        redirect_logs: send the algorithm's output to the worker.
        log_level: the lowest level to log, one of `log.LEVELS`.
        log_format: one of `log.FORMATS`.
        log_failures: log the error that is sent to the worker when a task fails.
        log_marks_events: mark events of several lines for the image's process 1.
        log_file_limit: size in megabytes of the log file that the image's process 1 writes.
        termination_log: file for crash reports.
        health_socket: name of the socket for probes; empty: no socket.
        storage: used in mode v3 only.
        discovery: used in mode v3 only.
        streaming: used in mode v3 only.
        telemetry: traces and figures for operators.
        warnings: a sentence for each setting that another one overrides.
    """

    url: str
    host: str
    port: int
    socketio: bool
    debug: bool
    encoding: str
    storage_protocol: str
    max_payload: int
    first_initialized_delay: float
    reconnect_timeout: float
    algorithm_folder: str
    entry_point: str
    algorithm_name: str
    metrics_folder: str
    metrics_mode: str
    dev_mode: bool
    redirect_logs: bool
    log_level: str
    log_format: str
    log_failures: bool
    log_marks_events: bool
    log_file_limit: int
    termination_log: str
    health_socket: str
    storage: StorageSettings
    discovery: DiscoverySettings
    streaming: StreamingSettings
    telemetry: TelemetrySettings
    warnings: tuple[str, ...]

    @property
    def how_results_travel(self) -> str:
        """The storage mode, as a sentence for the log."""
        if self.storage_protocol == "v1":
            return "storage v1: inputs and results travel over the WebSocket"
        return f"storage v3: inputs and results are {self.storage.place}"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], cwd: str | os.PathLike[str]) -> Config:
        """Read the settings; other variables are ignored.

        Args:
            environ: the environment.
            cwd: absolute path of the folder that relative paths start from.

        Raises:
            ConfigurationError: some values are invalid; it lists all of them.
        """
        read = EnvironmentReader(environ)
        warnings: list[str] = []
        scheme, socketio = _read_transport(read, warnings)
        encoding, protocol, address = _read_worker(read, scheme, socketio, warnings)
        max_payload = read.whole("WORKER_SOCKET_MAX_PAYLOAD_BYTES", 100_000_000, low=1000)
        redirect_logs = read.flag("REDIRECT_LOGS", False)
        if socketio:
            max_payload -= _SOCKETIO_ENVELOPE_BYTES
            if redirect_logs:
                warnings.append("REDIRECT_LOGS has no effect: HKube takes no logs over socket.io")
        algorithm_name = read.text("ALGORITHM_TYPE", "algorithm")
        config = cls(
            url=address.url,
            host=address.host,
            port=address.port,
            socketio=socketio,
            debug=bool(read.text("WORKER_SOCKET_URL")),
            encoding=encoding,
            storage_protocol=protocol,
            max_payload=max_payload,
            first_initialized_delay=read.seconds("WORKER_FIRST_INITIALIZED_DELAY", 0.3),
            reconnect_timeout=read.seconds("WORKER_RECONNECT_TIMEOUT", 60.0),
            algorithm_folder=_read_algorithm_folder(read, os.fspath(cwd)),
            entry_point=read.text("ALGORITHM_ENTRY_POINT", "main.py"),
            algorithm_name=algorithm_name,
            metrics_folder=os.path.join(cwd, read.text("ALGO_METRICS_DIR", "/var/metrics/")),
            metrics_mode=read.choice(
                "HKUBE_METRICS_FILES",
                ("empty", "keep", "per-task"),
                # Nobody uploads what a debug connection writes on a developer's machine.
                "keep" if read.text("WORKER_SOCKET_URL") else "empty",
            ),
            dev_mode=read.flag("DEV_MODE", False),
            redirect_logs=redirect_logs and not socketio,
            log_level=read.choice("HKUBE_LOG_LEVEL", LEVELS, "info", _LEVEL_ALIASES),
            log_format=read.choice("HKUBE_LOG_FORMAT", FORMATS, "text"),
            log_failures=read.flag("HKUBE_LOG_FAILURES", True),
            log_marks_events=read.flag("HKUBE_LOG_MARKS_EVENTS", False),
            log_file_limit=read.whole("HKUBE_LOG_FILE_LIMIT", 512),
            termination_log=read.text("TERMINATION_LOG", "/dev/termination-log"),
            health_socket=read.text("HKUBE_HEALTH_SOCKET"),
            storage=read_storage(read, os.fspath(cwd)),
            discovery=read_discovery(read),
            streaming=read_streaming(read),
            telemetry=read_telemetry(read, algorithm_name, warnings),
            warnings=tuple(warnings),
        )
        if read.problems:
            raise ConfigurationError(read.problems)
        return config


def _read_transport(read: EnvironmentReader, warnings: list[str]) -> tuple[str, bool]:
    """Return the URL's scheme, and whether socket.io is used; two settings can ask for it."""
    server = read.choice("WORKER_ALGORITHM_PROTOCOL", ("ws", "socket"), "ws")
    protocol = read.choice("WORKER_SOCKET_PROTOCOL", ("ws", "wss", "socketio"), "ws")
    socketio = server == "socket" or protocol == "socketio"
    if socketio and read.text("WORKER_SOCKET_URL"):
        warnings.append(
            "debug connections do not use socket.io: using WORKER_SOCKET_URL without it"
        )
        socketio = False
    return "wss" if protocol == "wss" else "ws", socketio


def _read_worker(
    read: EnvironmentReader, scheme: str, socketio: bool, warnings: list[str]
) -> tuple[str, str, WorkerAddress]:
    """Return the encoding of the messages, the storage protocol, and the worker's address."""
    encoding = read.choice("WORKER_ALGORITHM_ENCODING", ENCODINGS, "json")
    if socketio and encoding != "json":
        warnings.append(
            f"WORKER_ALGORITHM_ENCODING asks for {encoding} but HKube's socket.io has JSON only: "
            "using json"
        )
        encoding = "json"
    host = read.text("WORKER_SOCKET_HOST", "127.0.0.1")
    port = read.port("WORKER_SOCKET_PORT", 3000)
    # A developer's machine usually cannot reach HKube's storage, so a debug URL does not imply v3.
    # The worker's socket.io knows nothing of the storage that we ask for: there v1 is the default.
    implied = storage_is_configured(read) and not read.text("WORKER_SOCKET_URL") and not socketio
    storage = read.choice("STORAGE_PROTOCOL", _STORAGE_PROTOCOLS, "v3" if implied else "v1")
    query, path = _query(read, storage, encoding), "/"
    if socketio:
        query = {**_SOCKETIO_QUERY, **{k: v for k, v in query.items() if k == "token"}}
        path = _SOCKETIO_PATH
    address = WorkerAddress("", "", port)
    try:
        address = address_of_parts(scheme, host, port, query, path)
    except ValueError as error:
        read.reject("WORKER_SOCKET_HOST", str(error))
    if read.text("WORKER_SOCKET_URL"):
        try:
            return _read_url(read, encoding, storage, warnings)
        except ValueError as error:
            read.reject("WORKER_SOCKET_URL", str(error))
    return encoding, storage, address


def _read_url(
    read: EnvironmentReader, encoding: str, storage: str, warnings: list[str]
) -> tuple[str, str, WorkerAddress]:
    """Return the same from a whole URL: its query wins, because the worker follows it."""
    import socket

    parts = parse_url(read.text("WORKER_SOCKET_URL"))
    asked_storage = parts.parameters.get("storage", storage)
    asked = parts.parameters.get("encoding", encoding)
    if asked_storage not in _STORAGE_PROTOCOLS:
        raise ValueError("a URL with storage=v1 or storage=v3 in its query, or without storage=")
    if asked not in ENCODINGS:
        raise ValueError(f"a URL with encoding={'|'.join(ENCODINGS)} in its query")
    for name, ours, theirs in (
        ("WORKER_ALGORITHM_ENCODING", encoding, asked),
        ("STORAGE_PROTOCOL", storage, asked_storage),
    ):
        if ours != theirs and read.text(name):
            warnings.append(
                f"{name} asks for {ours} but the query of WORKER_SOCKET_URL asks for {theirs}: "
                f"using {theirs}"
            )
    query = {**_query(read, asked_storage, asked), "hostname": socket.gethostname()}
    return asked, asked_storage, parts.address(query)


def _query(read: EnvironmentReader, storage: str, encoding: str) -> dict[str, str]:
    token = read.text("WORKER_SOCKET_TOKEN")
    return {"storage": storage, "encoding": encoding, **({"token": token} if token else {})}


def _read_algorithm_folder(read: EnvironmentReader, cwd: str) -> str:
    given = read.text("ALGORITHM_PATH")
    path = os.path.join(cwd, given or _PUBLISHED_FOLDER)
    if os.path.isdir(path):
        return path
    if given:
        reason = "is a file" if os.path.exists(path) else "does not exist"
        read.reject("ALGORITHM_PATH", f"a folder ({path} {reason})", _folders_in(cwd))
    return cwd


def _folders_in(folder: str) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return []
