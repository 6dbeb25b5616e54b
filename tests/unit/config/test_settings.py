"""The settings, their table in docs/configuration.md, and their error messages."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.paths import ROOT
from wrapper.config.settings import Config
from wrapper.errors import ConfigurationError

TABLE = ROOT / "docs" / "configuration.md"
CWD = Path("/")


def read(cwd: Path = CWD, **environ: str) -> Config:
    """Read the settings from an environment."""
    return Config.from_environ(environ, cwd)


def problems(cwd: Path = CWD, **environ: str) -> tuple[str, ...]:
    """Return the problems of an environment."""
    with pytest.raises(ConfigurationError) as caught:
        read(cwd, **environ)
    return caught.value.problems


def problem(cwd: Path = CWD, **environ: str) -> str:
    """Return the only problem of an environment."""
    (only,) = problems(cwd, **environ)
    return only


# --- defaults, table ----------------------------------------------------------------------------


def test_defaults() -> None:
    config = read()
    assert config.url == "ws://127.0.0.1:3000/?storage=v1&encoding=json"
    assert (config.host, config.port, config.debug) == ("127.0.0.1", 3000, False)
    assert (config.encoding, config.storage_protocol) == ("json", "v1")
    assert (config.max_payload, config.reconnect_timeout) == (100_000_000, 60.0)
    assert (config.algorithm_folder, config.entry_point) == (str(CWD), "main.py")
    assert (config.dev_mode, config.redirect_logs) == (False, False)
    assert (config.log_level, config.log_format) == ("info", "text")
    assert config.termination_log == "/dev/termination-log"
    assert Path(config.metrics_folder) == Path("/var/metrics")
    assert config.warnings == ()


class RecordingEnviron(Mapping[str, str]):
    """An environment that records which names are read."""

    def __init__(self, values: dict[str, str]) -> None:
        self.read: set[str] = set()
        self._values = values

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("unknown variables must not be read")

    def __len__(self) -> int:
        return len(self._values)


def documented() -> dict[str, str]:
    """Return the names in the table of docs/configuration.md, with their cell `default`."""
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| ([^|]*) \|", TABLE.read_text(), re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a name appears twice"
    return dict(rows)


@pytest.mark.parametrize("url", ["", "ws://host/"])
def test_table_has_exactly_the_names_that_are_read(url: str) -> None:
    environ = RecordingEnviron({"WORKER_SOCKET_URL": url})
    Config.from_environ(environ, CWD)
    assert {name.upper() for name in environ.read} == set(documented())


def test_table_has_the_right_defaults(tmp_path: Path) -> None:
    (tmp_path / "algorithm_unique_folder").mkdir()
    values = {name: cell.strip("`") for name, cell in documented().items() if cell != "not set"}
    assert len(values) > 20
    for name, value in values.items():
        assert Config.from_environ({name: value}, tmp_path) == read(tmp_path), name


@pytest.mark.parametrize("name", sorted(documented()))
def test_empty_variable_counts_as_not_set(name: str) -> None:
    assert Config.from_environ({name: " "}, CWD) == read()


def test_other_variables_are_ignored() -> None:
    assert read(WORKER_SOCKET_PROT="99999", PATH="/bin") == read()


def test_config_is_immutable() -> None:
    with pytest.raises(AttributeError):
        read().port = 1  # type: ignore[misc]


def test_space_around_a_value_is_ignored() -> None:
    assert read(WORKER_SOCKET_PORT=" 3001\n").port == 3001


# --- values -------------------------------------------------------------------------------------


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        WORKER_SOCKET_PORT="none",
        WORKER_ALGORITHM_ENCODING="xml",
        WORKER_SOCKET_HOST="a/b",
        WORKER_SOCKET_URL="nowhere",
        WORKER_SOCKET_MAX_PAYLOAD_BYTES="big",
        HKUBE_LOG_FORMAT="yaml",
        DEV_MODE="perhaps",
        ALGORITHM_PATH="no-such-folder",
    )
    names = {sentence.partition(" ")[0] for sentence in found}
    assert len(found) == len(names) == 8


def test_problem_names_variable_value_and_accepted_values() -> None:
    found = problem(WORKER_SOCKET_PORT="70000")
    assert found == "WORKER_SOCKET_PORT is '70000', but must be a whole number from 1 to 65535"


def test_similar_value_is_suggested() -> None:
    found = problem(WORKER_ALGORITHM_ENCODING="jsno")
    assert found == (
        "WORKER_ALGORITHM_ENCODING is 'jsno', but must be json, msgpack or bson; "
        "did you mean 'json'?"
    )
    assert "did you mean" not in problem(WORKER_ALGORITHM_ENCODING="xml")


def test_long_value_is_shortened() -> None:
    assert len(problem(DEV_MODE="x" * 100_000)) < 400


def test_value_that_is_not_utf8_is_reported() -> None:
    assert "\\udcff" in problem(DEV_MODE="\udcff")


@pytest.mark.parametrize("value", ["true", "TRUE", "1", "yes", "On"])
def test_flag_is_on(value: str) -> None:
    assert read(DEV_MODE=value).dev_mode is True


@pytest.mark.parametrize("value", ["false", "False", "0", "no", "OFF"])
def test_flag_is_off(value: str) -> None:
    assert read(DEV_MODE=value).dev_mode is False
    assert read(DISCOVERY_ENABLE=value).discovery.enabled is False


@pytest.mark.parametrize("value", ["1", "65535"])
def test_ports(value: str) -> None:
    assert read(WORKER_SOCKET_PORT=value).port == int(value)


@pytest.mark.parametrize(
    "value", ["0", "65536", "-1", "3000.0", "3e3", "3_000", "٣٠٠٠", "²", "9" * 5000, "tcp://a:1"]
)
def test_invalid_ports(value: str) -> None:
    assert problem(WORKER_SOCKET_PORT=value).startswith("WORKER_SOCKET_PORT is ")


@pytest.mark.parametrize("value, seconds", [("0", 0.0), ("0.5", 0.5), ("90", 90.0)])
def test_seconds(value: str, seconds: float) -> None:
    assert read(WORKER_RECONNECT_TIMEOUT=value).reconnect_timeout == seconds


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "-inf", "60s"])
def test_invalid_seconds(value: str) -> None:
    assert "a number of seconds, 0 or more" in problem(WORKER_RECONNECT_TIMEOUT=value)


def test_milliseconds_become_seconds() -> None:
    assert read(DISCOVERY_TIMEOUT="2500").discovery.timeout == 2.5


def test_the_smallest_payload_limit() -> None:
    assert read(WORKER_SOCKET_MAX_PAYLOAD_BYTES="1000").max_payload == 1000
    assert "at least 1000" in problem(WORKER_SOCKET_MAX_PAYLOAD_BYTES="100")


@pytest.mark.parametrize(
    "value, level",
    [("DEBUG", "debug"), ("trace", "debug"), ("Warn", "warning"), ("CRITICAL", "error")],
)
def test_log_levels(value: str, level: str) -> None:
    assert read(HKUBE_LOG_LEVEL=value).log_level == level


def test_without_storage_the_mode_is_v1() -> None:
    config = read(STORAGE_ENCODING="json", CLUSTER_NAME="c", AWS_ACCESS_KEY_ID="k")
    assert config.storage_protocol == "v1"
    assert "travel over the WebSocket" in config.how_results_travel


@pytest.mark.parametrize(
    "environ, place",
    [
        ({"DEFAULT_STORAGE": "fs"}, "files in /var/tmp/fs/storage"),
        ({"DEFAULT_STORAGE": "s3"}, "S3 at http://127.0.0.1:9000"),
        ({"S3_ENDPOINT_URL": "https://minio"}, "S3 at https://minio"),
        ({"BASE_FS_ADAPTER_DIRECTORY": "/mnt/a"}, "files in /mnt/a"),
        ({"BASE_FS_ADAPTER_DIRECTORY": "a"}, "files in {cwd}/a"),
        ({"S3_ENDPOINT_URL": "https://m", "DEFAULT_STORAGE": "fs"}, "files in"),
        ({"S3_ENDPOINT_URL": "https://m", "BASE_FS_ADAPTER_DIRECTORY": "/a"}, "files in /a"),
        ({"STORAGE_PROTOCOL": "V3"}, "files in /var/tmp/fs/storage"),
    ],
)
def test_configured_storage_is_used(tmp_path: Path, environ: dict[str, str], place: str) -> None:
    config = read(tmp_path, **environ)
    assert config.storage_protocol == "v3"
    assert config.url == "ws://127.0.0.1:3000/?storage=v3&encoding=json"
    assert config.how_results_travel.startswith("storage v3: inputs and results are")
    assert place.format(cwd=tmp_path) in config.how_results_travel
    assert config.warnings == ()
    assert read(tmp_path, **{**environ, "STORAGE_PROTOCOL": "v1"}).storage_protocol == "v1"


def test_s3_endpoint() -> None:
    assert read(S3_ENDPOINT_URL="HTTPS://minio:9000/").storage.s3.endpoint == "HTTPS://minio:9000"
    for bad in ("minio:9000", "s3://minio", "//minio"):
        assert "begins with http:// or https://" in problem(S3_ENDPOINT_URL=bad)


def test_discovery_port_leaves_the_next_one_for_pings() -> None:
    assert read(DISCOVERY_PORT="65534").discovery.port == 65534
    assert "from 1 to 65534" in problem(DISCOVERY_PORT="65535")


def test_repr_hides_the_secret_key() -> None:
    config = read(AWS_SECRET_ACCESS_KEY="hush", AWS_ACCESS_KEY_ID="who")
    assert config.storage.s3.secret_access_key == "hush"
    assert "hush" not in repr(config)


# --- the algorithm's folder ---------------------------------------------------------------------


def test_published_folder_has_priority_over_the_working_directory(tmp_path: Path) -> None:
    assert read(tmp_path).algorithm_folder == str(tmp_path)
    folder = tmp_path / "algorithm_unique_folder"
    folder.touch()
    assert read(tmp_path).algorithm_folder == str(tmp_path)
    folder.unlink()
    folder.mkdir()
    assert read(tmp_path).algorithm_folder == str(folder)


def test_given_folder(tmp_path: Path) -> None:
    (tmp_path / "deep" / "code").mkdir(parents=True)
    (tmp_path / "algorithm_unique_folder").mkdir()
    expected = tmp_path / "deep" / "code"
    assert read(tmp_path, ALGORITHM_PATH="deep/code").algorithm_folder == str(expected)
    assert read(tmp_path, ALGORITHM_PATH=str(expected)).algorithm_folder == str(expected)


def test_missing_folder(tmp_path: Path) -> None:
    (tmp_path / "algorithm").mkdir()
    assert problem(tmp_path, ALGORITHM_PATH="algoritm") == (
        f"ALGORITHM_PATH is 'algoritm', but must be a folder ({tmp_path}/algoritm does not exist); "
        "did you mean 'algorithm'?"
    )
    assert "does not exist" in problem(tmp_path / "gone", ALGORITHM_PATH="a")
    assert "does not exist" in problem(tmp_path, ALGORITHM_PATH="a" * 1000)
    (tmp_path / "main.py").touch()
    assert "main.py is a file" in problem(tmp_path, ALGORITHM_PATH="main.py")


def test_relative_metrics_folder_starts_from_the_working_directory(tmp_path: Path) -> None:
    assert read(tmp_path, ALGO_METRICS_DIR="m").metrics_folder == str(tmp_path / "m")


# --- the worker's address -----------------------------------------------------------------------


def test_address_from_parts() -> None:
    config = read(
        WORKER_SOCKET_HOST="worker",
        WORKER_SOCKET_PORT="3001",
        WORKER_SOCKET_PROTOCOL="WSS",
        WORKER_ALGORITHM_ENCODING="msgpack",
    )
    assert config.url == "wss://worker:3001/?storage=v1&encoding=msgpack"
    assert (config.host, config.port, config.debug) == ("worker", 3001, False)


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_ipv6_host(host: str) -> None:
    config = read(WORKER_SOCKET_HOST=host)
    assert config.url == "ws://[::1]:3000/?storage=v1&encoding=json"
    assert config.host == "::1"


@pytest.mark.parametrize("host", ["ws://a", "a/b", "a b", "a?b", "a@b", "a\nb", "[a"])
def test_invalid_host(host: str) -> None:
    assert problem(WORKER_SOCKET_HOST=host).startswith("WORKER_SOCKET_HOST is ")


def test_host_with_a_port() -> None:
    assert "goes into WORKER_SOCKET_PORT" in problem(WORKER_SOCKET_HOST="worker:3001")


def query(config: Config) -> dict[str, list[str]]:
    """Parse the query of the worker's URL."""
    return parse_qs(urlsplit(config.url).query, keep_blank_values=True, strict_parsing=True)


def test_debug_url_keeps_its_query_and_gets_missing_parameters() -> None:
    config = read(WORKER_SOCKET_URL="wss://gate.example/hkube/debug/a?token=a%20b&x=&x=2")
    start, _, text = config.url.partition("?")
    assert start == "wss://gate.example/hkube/debug/a"
    assert text.startswith("token=a%20b&x=&x=2&")
    assert query(config) == {
        "token": ["a b"],
        "x": ["", "2"],
        "storage": ["v1"],
        "encoding": ["json"],
        "hostname": [socket.gethostname()],
    }
    assert (config.host, config.port, config.debug) == ("gate.example", 443, True)


def test_debug_url_has_priority_over_host_and_port() -> None:
    config = read(WORKER_SOCKET_URL="WS://[::1]:81", WORKER_SOCKET_PORT="1")
    assert config.url.startswith("ws://[::1]:81/?storage=v1&")
    assert (config.host, config.port) == ("::1", 81)


def test_default_port_of_a_debug_url_without_tls() -> None:
    assert read(WORKER_SOCKET_URL="ws://host/#here").port == 80
    assert "#" not in read(WORKER_SOCKET_URL="ws://host/#here").url


def test_encoding_in_a_debug_url_has_priority() -> None:
    config = read(WORKER_SOCKET_URL="ws://h/?encoding=bson")
    assert (config.encoding, query(config)["encoding"], config.warnings) == ("bson", ["bson"], ())
    config = read(WORKER_SOCKET_URL="ws://h/?encoding=bson", WORKER_ALGORITHM_ENCODING="json")
    assert config.encoding == "bson"
    assert "using bson" in config.warnings[0]


def test_encoding_setting_applies_to_a_debug_url_without_encoding() -> None:
    config = read(WORKER_SOCKET_URL="ws://h/", WORKER_ALGORITHM_ENCODING="msgpack")
    assert (config.encoding, query(config)["encoding"]) == ("msgpack", ["msgpack"])


def test_storage_in_a_debug_url_has_priority() -> None:
    config = read(WORKER_SOCKET_URL="ws://h/?storage=v3&token=1&hostname=me")
    assert config.storage_protocol == "v3"
    assert query(config) == {
        "storage": ["v3"],
        "token": ["1"],
        "hostname": ["me"],
        "encoding": ["json"],
    }
    assert config.warnings == ()
    config = read(WORKER_SOCKET_URL="ws://h/?storage=v1", STORAGE_PROTOCOL="v3")
    assert config.storage_protocol == "v1"
    assert "STORAGE_PROTOCOL asks for v3" in config.warnings[0]


def test_debug_url_without_storage_means_v1_unless_v3_is_set() -> None:
    config = read(WORKER_SOCKET_URL="ws://h/", DEFAULT_STORAGE="s3")
    assert (config.storage_protocol, query(config)["storage"]) == ("v1", ["v1"])
    config = read(WORKER_SOCKET_URL="ws://h/", STORAGE_PROTOCOL="v3")
    assert (config.storage_protocol, query(config)["storage"]) == ("v3", ["v3"])


@pytest.mark.parametrize(
    "url, hint",
    [
        ("http://h/a", "did you mean 'ws://h/a'?"),
        ("https://h/a", "did you mean 'wss://h/a'?"),
        ("localhost:3000", "did you mean 'ws://localhost:3000'?"),
        ("h/a", "did you mean 'ws://h/a'?"),
        ("ws://", "host and port"),
        ("ws://h:0/", "host and port"),
        ("ws://h:99999/", "host and port"),
        ("ws://h:port/", "host and port"),
        ("ws://[::1/", "host and port"),
        ("ws://h/a b", "without spaces"),
        ("ws://h/a\tb", "without spaces"),
        ("ws://h/?storage=v2", "storage=v1"),
        ("ws://h/?encoding=xml", "encoding=json|msgpack|bson"),
    ],
)
def test_invalid_debug_url(url: str, hint: str) -> None:
    found = problem(WORKER_SOCKET_URL=url)
    assert found.startswith("WORKER_SOCKET_URL is ")
    assert hint in found


# --- socket.io ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "environ", [{"WORKER_ALGORITHM_PROTOCOL": "socket"}, {"WORKER_SOCKET_PROTOCOL": "socketio"}]
)
def test_either_of_two_settings_asks_for_socketio(environ: dict[str, str]) -> None:
    config = read(CWD, **environ)
    assert config.socketio
    assert config.url == "ws://127.0.0.1:3000/socket.io/?EIO=3&transport=websocket"
    assert (config.max_payload, config.warnings) == (99_999_936, ())
    assert not read().socketio


def test_socketio_over_tls_with_a_token() -> None:
    config = read(
        WORKER_ALGORITHM_PROTOCOL="socket", WORKER_SOCKET_PROTOCOL="wss", WORKER_SOCKET_TOKEN="t"
    )
    assert config.url == "wss://127.0.0.1:3000/socket.io/?EIO=3&transport=websocket&token=t"


def test_what_socketio_does_not_have_is_switched_off_with_a_warning() -> None:
    config = read(
        WORKER_ALGORITHM_PROTOCOL="socket", WORKER_ALGORITHM_ENCODING="bson", REDIRECT_LOGS="true"
    )
    assert (config.encoding, config.redirect_logs) == ("json", False)
    encoding, logs = config.warnings
    assert "WORKER_ALGORITHM_ENCODING asks for bson" in encoding
    assert "REDIRECT_LOGS has no effect" in logs


def test_socketio_uses_the_storage_only_if_the_mode_is_set() -> None:
    storage = {"WORKER_ALGORITHM_PROTOCOL": "socket", "DEFAULT_STORAGE": "fs"}
    assert read(CWD, **storage).storage_protocol == "v1"
    assert read(CWD, **storage, STORAGE_PROTOCOL="v3").storage_protocol == "v3"


def test_debug_connection_does_not_use_socketio() -> None:
    config = read(WORKER_ALGORITHM_PROTOCOL="socket", WORKER_SOCKET_URL="ws://host/")
    assert not config.socketio
    assert config.warnings == (
        "debug connections do not use socket.io: using WORKER_SOCKET_URL without it",
    )


def test_invalid_protocol_is_reported_once() -> None:
    assert "ws, wss or socketio" in problem(WORKER_SOCKET_PROTOCOL="http")
    assert "ws or socket" in problem(WORKER_ALGORITHM_PROTOCOL="socketio")


# --- traces and figures -------------------------------------------------------------------------


def test_traces_go_to_the_endpoint_with_the_algorithm_as_the_service() -> None:
    telemetry = read(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318/", ALGORITHM_TYPE="green"
    ).telemetry
    assert telemetry.traces_url == "http://collector:4318/v1/traces"
    assert telemetry.resource == {"service.name": "green"}
    assert telemetry.is_on and not read().telemetry.is_on


def test_service_is_named_by_the_most_specific_setting() -> None:
    attributes = "service.name=a%20b,team = x"
    resource = read(OTEL_RESOURCE_ATTRIBUTES=attributes).telemetry.resource
    assert resource == {"service.name": "a b", "team": "x"}
    named = read(OTEL_RESOURCE_ATTRIBUTES=attributes, OTEL_SERVICE_NAME="c").telemetry
    assert named.resource["service.name"] == "c"


def test_traces_are_switched_off_as_in_every_sdk() -> None:
    endpoint = "http://collector:4318"
    off = read(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_SDK_DISABLED="True")
    assert (off.telemetry.traces_url, off.warnings) == ("", ())
    grpc = read(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
    assert grpc.telemetry.traces_url == ""
    assert "OTEL_EXPORTER_OTLP_PROTOCOL is grpc" in grpc.warnings[0]


@pytest.mark.parametrize("url", ["collector:4318", "ftp://x", "http://", "http://x:no", "http://["])
def test_invalid_endpoint_is_refused(url: str) -> None:
    assert "begins with http:// or https://" in problem(OTEL_EXPORTER_OTLP_ENDPOINT=url)


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES"])
def test_invalid_list_is_refused(name: str) -> None:
    text = problem(CWD, **{name: "a=secret,b"})
    assert "name=value,name=value" in text and "secret" not in text
