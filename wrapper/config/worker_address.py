"""Where the worker is: its URL, from the parts that the environment names or as a whole."""

from __future__ import annotations

from typing import NamedTuple

_DEFAULT_PORTS = {"ws": 80, "wss": 443}
_SCHEMES = {"http": "ws", "https": "wss"}  # what somebody wrote → what was meant


class WorkerAddress(NamedTuple):
    """Where to connect to.

    Attributes:
        url: whole, with its query.
        host: without the brackets of an IPv6 address.
        port: TCP port.
    """

    url: str
    host: str
    port: int


def address_of_parts(protocol: str, host: str, port: int, query: dict[str, str]) -> WorkerAddress:
    """The address of a worker at a host and port.

    Raises:
        ValueError: the host is none; the text is what it must be.
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if bare.count(":") == 1:
        raise ValueError("a host name or an address alone; the port goes into WORKER_SOCKET_PORT")
    if not bare.isprintable() or any(character in " /?#@[]" for character in bare):
        raise ValueError("a host name or an address alone")
    shown = f"[{bare}]" if ":" in bare else bare
    joined = "&".join(f"{name}={value}" for name, value in query.items())
    return WorkerAddress(f"{protocol}://{shown}:{port}/?{joined}", bare, port)


class UrlParts(NamedTuple):
    """A WebSocket URL that a user gave.

    Attributes:
        start: scheme, host, port and path; never empty from the path on.
        host: without the brackets of an IPv6 address.
        port: TCP port; the scheme's own if the URL has none.
        query: as it was written, without the question mark.
    """

    start: str
    host: str
    port: int
    query: str

    @property
    def parameters(self) -> dict[str, str]:
        """The query's names and values."""
        from urllib.parse import parse_qsl  # not needed at the start in a cluster

        return dict(parse_qsl(self.query, keep_blank_values=True))

    def address(self, query: dict[str, str]) -> WorkerAddress:
        """The address, its own query kept as it was written and followed by what it lacks.

        Args:
            query: what the URL must have; a name that it has already is left as it is.
        """
        from urllib.parse import urlencode

        missing = {name: value for name, value in query.items() if name not in self.parameters}
        whole = "&".join(part for part in (self.query, urlencode(missing)) if part)
        return WorkerAddress(f"{self.start}?{whole}", self.host, self.port)


def parse_url(text: str) -> UrlParts:
    """Take a WebSocket URL apart.

    Raises:
        ValueError: it is none; the text is what it must be.
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
    except ValueError as error:
        raise ValueError(f"a URL with a valid host and port ({error})") from None
    if not parts.hostname or port == 0:
        raise ValueError("a URL with a valid host and port")
    start = f"{parts.scheme}://{parts.netloc}{parts.path or '/'}"
    return UrlParts(start, parts.hostname, port or _DEFAULT_PORTS[parts.scheme], parts.query)
