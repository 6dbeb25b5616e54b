"""The worker's address, from a host and port or from a whole URL."""

from __future__ import annotations

from typing import NamedTuple

_DEFAULT_PORTS = {"ws": 80, "wss": 443}
_SCHEMES = {"http": "ws", "https": "wss"}  # scheme given → scheme probably meant


class WorkerAddress(NamedTuple):
    """Where to connect to.

    Attributes:
        url: URL with its query.
        host: host name or address; an IPv6 address without brackets.
        port: TCP port.
    """

    url: str
    host: str
    port: int


def address_of_parts(
    protocol: str, host: str, port: int, query: dict[str, str], path: str = "/"
) -> WorkerAddress:
    """Return the address of a worker at a host and port.

    Raises:
        ValueError: the host is invalid; the message says what is accepted.
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if bare.count(":") == 1:
        raise ValueError("only a host name or an address; the port goes into WORKER_SOCKET_PORT")
    if not bare.isprintable() or any(character in " /?#@[]" for character in bare):
        raise ValueError("only a host name or an address")
    shown = f"[{bare}]" if ":" in bare else bare
    joined = "&".join(f"{name}={_encoded(value)}" for name, value in query.items())
    return WorkerAddress(f"{protocol}://{shown}:{port}{path}?{joined}", bare, port)


def _encoded(value: str) -> str:
    if value.isalnum() and value.isascii():
        return value
    from urllib.parse import quote  # not needed for a start in a cluster

    return quote(value, safe="")


class UrlParts(NamedTuple):
    """The parts of a WebSocket URL that a user gave.

    Attributes:
        start: scheme, host, port and path; the path is at least ``/``.
        host: host name or address; an IPv6 address without brackets.
        port: TCP port; the default of the scheme if the URL has no port.
        query: the query as written, without the question mark.
    """

    start: str
    host: str
    port: int
    query: str

    @property
    def parameters(self) -> dict[str, str]:
        """The names and values in the query."""
        from urllib.parse import parse_qsl  # not needed for a start in a cluster

        return dict(parse_qsl(self.query, keep_blank_values=True))

    def address(self, query: dict[str, str]) -> WorkerAddress:
        """Return the address; its query is kept as written, and missing parameters are added.

        Args:
            query: the parameters that the query must have; existing ones are not changed.
        """
        from urllib.parse import urlencode

        missing = {name: value for name, value in query.items() if name not in self.parameters}
        whole = "&".join(part for part in (self.query, urlencode(missing)) if part)
        return WorkerAddress(f"{self.start}?{whole}", self.host, self.port)


def parse_url(text: str) -> UrlParts:
    """Parse a WebSocket URL.

    Raises:
        ValueError: the URL is invalid; the message says what is accepted.
    """
    from urllib.parse import urlsplit

    if not text.isprintable() or " " in text:
        raise ValueError("a URL without spaces")
    scheme, _, rest = text.partition("://")
    if scheme.lower() not in _DEFAULT_PORTS:
        meant = f"{_SCHEMES.get(scheme.lower(), 'ws')}://{rest if '://' in text else text}"
        raise ValueError(f"a URL that begins with ws:// or wss://; did you mean {meant!r}?")
    try:
        parts = urlsplit(text)
        port = parts.port
        has_user = "@" in parts.netloc
    except ValueError as error:
        raise ValueError(f"a URL with a valid host and port ({error})") from None
    if has_user:
        raise ValueError("a URL without a user name and a password: HKube's worker reads neither")
    if not parts.hostname or port == 0:
        raise ValueError("a URL with a valid host and port")
    start = f"{parts.scheme}://{parts.netloc}{parts.path or '/'}"
    return UrlParts(start, parts.hostname, port or _DEFAULT_PORTS[parts.scheme], parts.query)
