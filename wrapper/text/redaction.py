"""Hides secrets in the URLs of everything that is shown: log, errors and reports."""

from __future__ import annotations

import re

_HIDDEN = "***"
_HARMLESS = ("storage", "encoding", "hostname")
"""Parameters of the worker's URL, which help to find errors."""

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)"
    r"(?P<user>[^\s/?#\"'<>]*@)?"
    r"(?P<rest>[^\s?#\"'<>]*)"
    r"(?P<query>\?[^\s#\"'<>]*)?"
)
_PARAMETER = re.compile(r"(?P<name>[^&;=?]*)=(?P<value>[^&;]*)")


def redacted(text: str) -> str:
    """Return a text with `***` for user name, password and query values of the URLs in it."""
    return _URL.sub(_without_secrets, text) if "://" in text else text


def _without_secrets(url: re.Match[str]) -> str:
    user = f"{_HIDDEN}@" if url["user"] else ""
    query = _PARAMETER.sub(_without_value, url["query"] or "")
    return f"{url['scheme']}{user}{url['rest']}{query}"


def _without_value(parameter: re.Match[str]) -> str:
    is_harmless = parameter["name"] in _HARMLESS or not parameter["value"]
    return parameter[0] if is_harmless else f"{parameter['name']}={_HIDDEN}"
