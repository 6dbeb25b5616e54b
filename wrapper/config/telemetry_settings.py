"""The settings of traces and figures for operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .environment import EnvironmentReader

_TRACES_PATH = "/v1/traces"


class TelemetrySettings(NamedTuple):
    """Where traces go, and where figures can be fetched.

    Attributes:
        traces_url: the URL that takes OTLP traces; empty: none are sent.
        headers: headers of these requests.
        resource: the attributes of the service that sends them.
        metrics_host: the address at which figures can be fetched.
        metrics_port: its port; 0: none.
    """

    traces_url: str
    headers: Mapping[str, str]
    resource: Mapping[str, str]
    metrics_host: str
    metrics_port: int

    @property
    def is_on(self) -> bool:
        """Whether anything of it is asked for."""
        return bool(self.traces_url or self.metrics_port)


def read_telemetry(
    read: EnvironmentReader, algorithm: str, warnings: list[str]
) -> TelemetrySettings:
    """Read the settings; those of traces have OpenTelemetry's names.

    Args:
        read: reads the environment.
        algorithm: the algorithm's name, which is the service's too unless a setting says otherwise.
        warnings: gets a sentence if a setting has no effect.
    """
    resource = _pairs(read, "OTEL_RESOURCE_ATTRIBUTES")
    name = read.text("OTEL_SERVICE_NAME") or resource.get("service.name") or algorithm
    return TelemetrySettings(
        traces_url=_traces_url(read, warnings),
        headers=_pairs(read, "OTEL_EXPORTER_OTLP_HEADERS"),
        resource={**resource, "service.name": name},
        metrics_host=read.text("HKUBE_METRICS_HOST", "0.0.0.0"),
        metrics_port=read.port("HKUBE_METRICS_PORT", 0),
    )


def _traces_url(read: EnvironmentReader, warnings: list[str]) -> str:
    endpoint = read.text("OTEL_EXPORTER_OTLP_ENDPOINT")
    protocol = read.text("OTEL_EXPORTER_OTLP_PROTOCOL")
    is_disabled = read.text("OTEL_SDK_DISABLED").lower() == "true"
    if not endpoint or is_disabled:
        return ""
    if protocol == "grpc":
        warnings.append(
            "the wrapper sends no traces: it has OTLP over HTTP only, and "
            "OTEL_EXPORTER_OTLP_PROTOCOL is grpc"
        )
        return ""
    if not _is_url(endpoint):
        read.reject("OTEL_EXPORTER_OTLP_ENDPOINT", "a URL that begins with http:// or https://")
        return ""
    return endpoint.rstrip("/") + _TRACES_PATH


def _is_url(text: str) -> bool:
    from urllib.parse import urlsplit  # only if traces are sent

    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _pairs(read: EnvironmentReader, name: str) -> dict[str, str]:
    """Read ``name=value,name=value``, where values are percent-encoded."""
    text = read.text(name)
    if not text:
        return {}
    from urllib.parse import unquote

    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if not all(key.strip() and equals for key, equals, _ in pairs):
        # Without the value, which may hold a password.
        read.problems.append(f"{name} must be a list such as name=value,name=value")
        return {}
    return {key.strip(): unquote(value.strip()) for key, _, value in pairs}
