"""The settings of storage mode v3: where inputs and results are, and how peers serve them."""

from __future__ import annotations

import os
from typing import NamedTuple

from .environment import EnvironmentReader

_ENCODINGS = ("json", "msgpack", "bson")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# Setting any of these selects mode v3.
_CHOOSES_STORAGE = ("DEFAULT_STORAGE", "S3_ENDPOINT_URL", "BASE_FS_ADAPTER_DIRECTORY")


class S3Settings(NamedTuple):
    """How to reach S3 storage (mode v3).

    Attributes:
        endpoint: URL of the service.
        access_key_id: name of the access key.
        secret_access_key: the access key.
        verify_ssl: the service's certificate must be valid.
        ca_file: certificates of authorities to trust in addition to the system's; may be empty.
        has_proxy: the environment names a proxy for HTTP.
    """

    endpoint: str
    access_key_id: str
    secret_access_key: str
    verify_ssl: bool
    ca_file: str
    has_proxy: bool = False

    def __repr__(self) -> str:
        return f"S3Settings(endpoint={self.endpoint!r}, …)"  # keep the key out of logs


class StorageSettings(NamedTuple):
    """Where and how inputs and results are stored (mode v3).

    Attributes:
        kind: ``fs`` or ``s3``.
        encoding: encoding of stored values.
        cluster_name: first part of all paths.
        max_cache_size: megabytes of inputs to keep in memory.
        retry_timeout: seconds to go on retrying a failed read or write.
        folder: absolute path of the folder; for ``fs``.
        s3: settings for ``s3``.
    """

    kind: str
    encoding: str
    cluster_name: str
    max_cache_size: int
    retry_timeout: float
    folder: str
    s3: S3Settings

    @property
    def place(self) -> str:
        """The location, in words."""
        return f"S3 at {self.s3.endpoint}" if self.kind == "s3" else f"files in {self.folder}"


class DiscoverySettings(NamedTuple):
    """How algorithms serve their results to each other (mode v3).

    Attributes:
        enabled: serve results to peers.
        host: address of this pod.
        port: TCP port for results.
        streaming_port: TCP port for streamed messages; not used yet.
        encoding: encoding of requests and replies.
        timeout: seconds to wait for a peer's reply.
        network_timeout: seconds to wait for a peer to respond to a ping.
        max_cache_size: megabytes of results to keep for peers.
        serving_report_interval: seconds between reports that results are still being served.
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


def storage_is_configured(read: EnvironmentReader) -> bool:
    """Return whether the environment selects a storage."""
    return any(read.text(name) for name in _CHOOSES_STORAGE)


def read_storage(read: EnvironmentReader, cwd: str) -> StorageSettings:
    """Read the settings of the storage."""
    given = [name for name in _CHOOSES_STORAGE if read.text(name)]
    only_s3 = given == ["S3_ENDPOINT_URL"]
    folder = read.text("BASE_FS_ADAPTER_DIRECTORY", "/var/tmp/fs/storage")
    return StorageSettings(
        kind=read.choice("DEFAULT_STORAGE", ("fs", "s3"), "s3" if only_s3 else "fs"),
        encoding=read.choice("STORAGE_ENCODING", _ENCODINGS, "msgpack"),
        cluster_name=read.text("CLUSTER_NAME", "local"),
        max_cache_size=read.whole("STORAGE_MAX_CACHE_SIZE", 400, low=0),
        retry_timeout=read.seconds("STORAGE_RETRY_TIMEOUT", 30.0),
        folder=os.path.join(cwd, folder),
        s3=S3Settings(
            endpoint=_read_endpoint(read),
            access_key_id=read.text("AWS_ACCESS_KEY_ID"),
            secret_access_key=read.text("AWS_SECRET_ACCESS_KEY"),
            verify_ssl=read.flag("S3_VERIFY_SSL", False),
            ca_file=read.text("AWS_CA_BUNDLE"),
            has_proxy=any(read.text(name) or read.text(name.lower()) for name in _PROXIES),
        ),
    )


def _read_endpoint(read: EnvironmentReader) -> str:
    endpoint = read.text("S3_ENDPOINT_URL", "http://127.0.0.1:9000")
    if not endpoint.lower().startswith(("http://", "https://")):
        read.reject("S3_ENDPOINT_URL", "a URL that begins with http:// or https://")
    if "@" in endpoint.partition("://")[2].partition("/")[0]:
        read.reject(
            "S3_ENDPOINT_URL",
            "a URL without a user name and a password: set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY",
        )
    return endpoint.rstrip("/")


def read_discovery(read: EnvironmentReader) -> DiscoverySettings:
    """Read the settings for serving results to other algorithms."""
    return DiscoverySettings(
        enabled=read.flag("DISCOVERY_ENABLE", True),
        host=read.text("POD_IP", "127.0.0.1"),
        port=read.whole("DISCOVERY_PORT", 9020, 1, 65534),  # the next one is for pings
        streaming_port=read.port("STREAMING_DISCOVERY_PORT", 9022),
        encoding=read.choice("DISCOVERY_ENCODING", _ENCODINGS, "msgpack"),
        timeout=read.milliseconds("DISCOVERY_TIMEOUT", 10_000),
        network_timeout=read.milliseconds("DISCOVERY_NETWORK_TIMEOUT", 1000),
        max_cache_size=read.whole("DISCOVERY_MAX_CACHE_SIZE", 400, low=0),
        serving_report_interval=read.milliseconds("DISCOVERY_SERVING_REPORT_INTERVAL", 5000),
    )
