"""Finds which cluster to use, and with which account: from options and hkubectl's settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ...text.redaction import redacted
from .errors import AccessError

FILE_NAMES = (".hkuberc", ".hkuberc.json")
SETTINGS_FOLDER = ".hkube"
DEFAULT_PREFIX = "/hkube/api-server/"
_VERSION = "api/v1/"


@dataclass(frozen=True)
class ClusterAccess:
    """How to reach a cluster's API.

    Attributes:
        base: the URL that all paths of the API are below, with a slash at its end.
        verify: whether the server's certificate must be valid.
        username: the account; empty if none is needed.
        password: its password.
        token: a token to use in place of an account; empty if there is none.
        origin: where the endpoint was found, for messages.
    """

    base: str
    verify: bool = True
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    origin: str = "--endpoint"


def find_access(folder: Path, home: Path, endpoint: str = "", token: str = "") -> ClusterAccess:
    """Find the cluster's API, as hkubectl does.

    The nearest .hkuberc or .hkuberc.json counts: in the folder or above it, then in its `.hkube`,
    then in the home's `.hkube`. Options win over the file. The file's account belongs to its
    endpoint: it is not sent to another host.

    Args:
        folder: the absolute path of the working directory.
        home: the user's home.
        endpoint: the URL that the user gave; empty if none.
        token: the token that the user gave; empty if none.

    Raises:
        AccessError: there is no endpoint, or the file cannot be used.
    """
    file = _find_file(folder, home)
    settings = _read(file) if file is not None else {}
    origin = str(file) if file is not None else ""
    in_file = _text(settings, "endpoint", origin)
    if not endpoint and not in_file:
        looked = f"{file} names none" if file else "there is no .hkuberc here or in ~/.hkube"
        raise AccessError(
            f"which cluster? {looked}: give its URL with --endpoint or HKUBE_ENDPOINT, for example "
            "--endpoint https://hkube.example.com"
        )
    url = _origin_of(endpoint or in_file, "--endpoint" if endpoint else f"endpoint in {origin}")
    is_of_file = not endpoint or not in_file or url == _origin_of(in_file, f"endpoint in {origin}")
    prefix = _text(settings, "pathPrefix", origin) if is_of_file else ""
    path = "/".join(part for part in (prefix or DEFAULT_PREFIX).split("/") if part)
    return ClusterAccess(
        base=f"{url}/{path}/{_VERSION}" if path else f"{url}/{_VERSION}",
        verify=not is_of_file or _flag(settings, "rejectUnauthorized", origin),
        username=_text(settings, "username", origin) if is_of_file and not token else "",
        password=_text(settings, "password", origin) if is_of_file and not token else "",
        token=token,
        origin="--endpoint" if endpoint else origin,
    )


def _find_file(folder: Path, home: Path) -> Path | None:
    starts = (folder, folder / SETTINGS_FOLDER, home / SETTINGS_FOLDER)
    return next((file for start in starts for file in _candidates(start) if file.is_file()), None)


def _candidates(start: Path) -> Iterator[Path]:
    for folder in (start, *start.parents):
        for name in FILE_NAMES:
            yield folder / name


def _read(file: Path) -> dict[str, Any]:
    try:
        settings = json.loads(file.read_text(encoding="utf-8-sig") or "{}")
    except OSError as error:
        raise AccessError(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else error
        raise AccessError(f"{file} is not valid JSON: {reason}") from error
    if not isinstance(settings, dict):
        raise AccessError(f'{file} must be a JSON object, such as {{"endpoint": "https://…"}}')
    return settings


def _text(settings: dict[str, Any], name: str, origin: str) -> str:
    value = settings.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise AccessError(f"{origin}: {name} must be text")
    return value


def _flag(settings: dict[str, Any], name: str, origin: str) -> bool:
    """Return a setting that is true unless given; hkubectl's own command writes it as text."""
    value = settings.get(name, True)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise AccessError(f"{origin}: {name} must be true or false")
    return value


def _origin_of(url: str, place: str) -> str:
    """Return scheme, host and port of a URL: hkubectl takes the path from pathPrefix alone."""
    try:
        parts = urlsplit(url.strip())
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        parts.port  # noqa: B018 - raises if it is no port
    except ValueError:
        is_valid = False
    if not is_valid:
        raise AccessError(
            f"{place} must be a URL such as https://hkube.example.com, not {redacted(url)!r}"
        )
    if parts.username is not None:
        raise AccessError(
            f"{place} must not hold an account: put username and password into .hkuberc"
        )
    return urlunsplit((parts.scheme, parts.netloc.lower(), "", "", ""))
