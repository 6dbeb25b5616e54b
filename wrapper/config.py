"""The settings: the environment as one frozen object.

Named tuples and not dataclasses, paths as text and not pathlib's: either import alone takes a
tenth of the wrapper's start. The names, their defaults and what they accept are documented in
docs/configuration.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from .environment import EnvironmentReader
from .errors import ConfigurationError
from .log import FORMATS, LEVELS
from .worker_address import WorkerAddress, address_of_parts, parse_url

ENCODINGS = ("json", "msgpack", "bson")

_STORAGE_PROTOCOL = "v1"  # the only one that is built
_STORAGE_PROTOCOLS = ("v1", "v3")
_PUBLISHED_FOLDER = "algorithm_unique_folder"  # where HKube's builder puts the user's code
_LEVEL_ALIASES = {
    "trace": "debug",
    "silly": "debug",
    "verbose": "debug",
    "notset": "debug",
    "warn": "warning",
    "critical": "error",
    "fatal": "error",
}


class S3Settings(NamedTuple):
    """How to reach S3 storage (mode v3).

    Attributes:
        endpoint: URL of the service.
        access_key_id: name of the key.
        secret_access_key: the key.
        verify_ssl: whether the service's certificate must be valid.
    """

    endpoint: str
    access_key_id: str
    secret_access_key: str
    verify_ssl: bool

    def __repr__(self) -> str:
        return f"S3Settings(endpoint={self.endpoint!r}, …)"  # a key must not reach a log


class StorageSettings(NamedTuple):
    """How results are kept outside the WebSocket (mode v3).

    Attributes:
        kind: ``fs`` or ``s3``.
        encoding: of what is stored.
        cluster_name: first part of all paths.
        max_cache_size: of the inputs kept in memory, in megabytes.
        folder: of ``fs``.
        s3: of ``s3``.
    """

    kind: str
    encoding: str
    cluster_name: str
    max_cache_size: int
    folder: str
    s3: S3Settings


class DiscoverySettings(NamedTuple):
    """How algorithms serve their results to each other (mode v3).

    Attributes:
        enabled: whether to serve.
        host: this pod's address.
        port: TCP port of the results.
        streaming_port: TCP port of streamed messages.
        encoding: of requests and replies.
        timeout: seconds to wait for a peer's reply.
        network_timeout: seconds to wait for a peer to be there.
        max_cache_size: of the results kept for peers, in megabytes.
        serving_report_interval: seconds between two reports that results are still served.
    """

    enabled: bool
    host: str
    port: int
    streaming_port: int
    encoding: str
    timeout: float
    network_timeout: float
    max_cache_size: int
    serving_report_interval: float


class Config(NamedTuple):
    """All settings.

    Attributes:
        url: the worker's, whole, with its query.
        host: the URL's host, an IPv6 address without brackets.
        port: the URL's port.
        debug: the connection is a debug connection (WORKER_SOCKET_URL is set).
        encoding: of the messages: ``json``, ``msgpack`` or ``bson``.
        storage_protocol: ``v1``: inputs and results cross the WebSocket.
        max_payload: bytes of the largest message that the worker takes.
        reconnect_timeout: seconds without a worker after which to give up.
        algorithm_folder: absolute path of the folder with the user's code.
        entry_point: the user's module in it: a file or a dotted name.
        algorithm_name: the algorithm's name in HKube.
        metrics_folder: absolute path of the folder for TensorBoard files.
        dev_mode: load changed code anew.
        redirect_logs: send the algorithm's output to the worker.
        log_level: the least that is logged: one of `log.LEVELS`.
        log_format: one of `log.FORMATS`.
        log_failures: log what the worker is told when a task fails.
        termination_log: file for the report of a crash.
        health_socket: name of the socket for probes; empty: none.
        tracing_host: host of the Jaeger agent; empty: none.
        storage: used in mode v3 only.
        discovery: used in mode v3 only.
        warnings: a sentence for each setting that could not be kept to.
    """

    url: str
    host: str
    port: int
    debug: bool
    encoding: str
    storage_protocol: str
    max_payload: int
    reconnect_timeout: float
    algorithm_folder: str
    entry_point: str
    algorithm_name: str
    metrics_folder: str
    dev_mode: bool
    redirect_logs: bool
    log_level: str
    log_format: str
    log_failures: bool
    termination_log: str
    health_socket: str
    tracing_host: str
    storage: StorageSettings
    discovery: DiscoverySettings
    warnings: tuple[str, ...]

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], cwd: str | os.PathLike[str]) -> Config:
        """Read the settings; variables that are not ours are ignored.

        Args:
            environ: the environment.
            cwd: folder that relative paths start from, absolute.

        Raises:
            ConfigurationError: values that cannot be used, all of them.
        """
        read = EnvironmentReader(environ)
        warnings: list[str] = []
        encoding, address = _read_worker(read, warnings)
        config = cls(
            url=address.url,
            host=address.host,
            port=address.port,
            debug=bool(read.text("WORKER_SOCKET_URL")),
            encoding=encoding,
            storage_protocol=_STORAGE_PROTOCOL,
            max_payload=read.whole("WORKER_SOCKET_MAX_PAYLOAD_BYTES", 100_000_000, low=1000),
            reconnect_timeout=read.seconds("WORKER_RECONNECT_TIMEOUT", 60.0),
            algorithm_folder=_read_algorithm_folder(read, os.fspath(cwd)),
            entry_point=read.text("ALGORITHM_ENTRY_POINT", "main.py"),
            algorithm_name=read.text("ALGORITHM_TYPE", "algorithm"),
            metrics_folder=os.path.join(cwd, read.text("ALGO_METRICS_DIR", "/var/metrics/")),
            dev_mode=read.flag("DEV_MODE", False),
            redirect_logs=read.flag("REDIRECT_LOGS", False),
            log_level=read.choice("HKUBE_LOG_LEVEL", LEVELS, "info", _LEVEL_ALIASES),
            log_format=read.choice("HKUBE_LOG_FORMAT", FORMATS, "text"),
            log_failures=read.flag("HKUBE_LOG_FAILURES", True),
            termination_log=read.text("TERMINATION_LOG", "/dev/termination-log"),
            health_socket=read.text("HKUBE_HEALTH_SOCKET"),
            tracing_host=read.text("JAEGER_AGENT_SERVICE_HOST"),
            storage=_read_storage(read),
            discovery=_read_discovery(read),
            warnings=tuple(warnings),
        )
        if read.problems:
            raise ConfigurationError(read.problems)
        return config


def _read_worker(read: EnvironmentReader, warnings: list[str]) -> tuple[str, WorkerAddress]:
    """The encoding of the messages, and where the worker is."""
    encoding = read.choice("WORKER_ALGORITHM_ENCODING", ENCODINGS, "json")
    protocol = read.choice("WORKER_SOCKET_PROTOCOL", ("ws", "wss"), "ws")
    host = read.text("WORKER_SOCKET_HOST", "127.0.0.1")
    port = read.port("WORKER_SOCKET_PORT", 3000)
    if read.choice("STORAGE_PROTOCOL", _STORAGE_PROTOCOLS, _STORAGE_PROTOCOL) == "v3":
        warnings.append(_not_built("STORAGE_PROTOCOL"))
    address = WorkerAddress("", "", port)
    try:
        address = address_of_parts(protocol, host, port, _query(encoding))
    except ValueError as error:
        read.reject("WORKER_SOCKET_HOST", str(error))
    if read.text("WORKER_SOCKET_URL"):
        try:
            return _read_url(read, encoding, warnings)
        except ValueError as error:
            read.reject("WORKER_SOCKET_URL", str(error))
    return encoding, address


def _read_url(
    read: EnvironmentReader, encoding: str, warnings: list[str]
) -> tuple[str, WorkerAddress]:
    """The same from a whole URL: the worker follows its query, so we do too."""
    import socket

    parts = parse_url(read.text("WORKER_SOCKET_URL"))
    storage = parts.parameters.get("storage", _STORAGE_PROTOCOL)
    asked = parts.parameters.get("encoding", encoding)
    if storage not in _STORAGE_PROTOCOLS:
        raise ValueError("a URL with storage=v1 in its query, or without storage=")
    if asked not in ENCODINGS:
        raise ValueError(f"a URL with encoding={'|'.join(ENCODINGS)} in its query")
    if storage != _STORAGE_PROTOCOL:
        warnings.append(_not_built("WORKER_SOCKET_URL"))
        parts = parts.without("storage")
    if asked != encoding and read.text("WORKER_ALGORITHM_ENCODING"):
        warnings.append(
            f"WORKER_ALGORITHM_ENCODING asks for {encoding} and the query of WORKER_SOCKET_URL "
            f"for {asked}: {asked} is used"
        )
    return asked, parts.address({**_query(asked), "hostname": socket.gethostname()})


def _query(encoding: str) -> dict[str, str]:
    return {"storage": _STORAGE_PROTOCOL, "encoding": encoding}


def _not_built(name: str) -> str:
    return (
        f"{name} asks for storage mode v3, which this version does not have: v1 is used, "
        "inputs and results cross the WebSocket"
    )


def _read_algorithm_folder(read: EnvironmentReader, cwd: str) -> str:
    given = read.text("ALGORITHM_PATH")
    path = os.path.join(cwd, given or _PUBLISHED_FOLDER)
    if os.path.isdir(path):
        return path
    if given:
        fault = "is a file" if os.path.exists(path) else "does not exist"
        read.reject("ALGORITHM_PATH", f"a folder ({path} {fault})", _folders_in(cwd))
    return cwd


def _folders_in(folder: str) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return []


def _read_storage(read: EnvironmentReader) -> StorageSettings:
    return StorageSettings(
        kind=read.choice("DEFAULT_STORAGE", ("fs", "s3"), "fs"),
        encoding=read.choice("STORAGE_ENCODING", ENCODINGS, "msgpack"),
        cluster_name=read.text("CLUSTER_NAME", "local"),
        max_cache_size=read.whole("STORAGE_MAX_CACHE_SIZE", 400, low=0),
        folder=read.text("BASE_FS_ADAPTER_DIRECTORY", "/var/tmp/fs/storage"),
        s3=S3Settings(
            endpoint=read.text("S3_ENDPOINT_URL", "http://127.0.0.1:9000"),
            access_key_id=read.text("AWS_ACCESS_KEY_ID"),
            secret_access_key=read.text("AWS_SECRET_ACCESS_KEY"),
            verify_ssl=read.flag("S3_VERIFY_SSL", False),
        ),
    )


def _read_discovery(read: EnvironmentReader) -> DiscoverySettings:
    return DiscoverySettings(
        enabled=read.flag("DISCOVERY_ENABLE", True),
        host=read.text("POD_IP", "127.0.0.1"),
        port=read.port("DISCOVERY_PORT", 9020),
        streaming_port=read.port("STREAMING_DISCOVERY_PORT", 9022),
        encoding=read.choice("DISCOVERY_ENCODING", ENCODINGS, "msgpack"),
        timeout=read.milliseconds("DISCOVERY_TIMEOUT", 10_000),
        network_timeout=read.milliseconds("DISCOVERY_NETWORK_TIMEOUT", 1000),
        max_cache_size=read.whole("DISCOVERY_MAX_CACHE_SIZE", 400, low=0),
        serving_report_interval=read.milliseconds("DISCOVERY_SERVING_REPORT_INTERVAL", 5000),
    )
