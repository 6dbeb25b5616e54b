"""Sends requests to a cluster's API, and repeats those that may be repeated."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any, final
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Timeout

from .access import ClusterAccess
from .errors import ClusterError, LostAnswer, RefusedRequest, UnsentRequest

_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0
_UPLOAD_FACTOR = 10
"""An upload's answer may take longer: the API first copies the code to its storage."""
_BUSY = (429, 502, 503, 504)
_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between the repetitions of one request; then always the last."""
_QUICK_TRIES = 3
_LONGEST_SHOWN = 500


@dataclass(frozen=True)
class Body:
    """A request's body.

    Attributes:
        content: the bytes, or an open file of them.
        kind: its content type.
        size: its length in bytes.
    """

    content: bytes | IO[bytes]
    kind: str
    size: int

    @classmethod
    def of_json(cls, document: Any) -> Body:
        """Return a JSON body."""
        data = json.dumps(document).encode()
        return cls(data, "application/json", len(data))


@final
class HttpClient:
    """Sends requests; answers are JSON.

    A GET is repeated until it is answered, for as long as its caller allows. Anything else is
    repeated only if no connection could be opened, because then nothing was sent.
    """

    def __init__(
        self,
        access: ClusterAccess,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        answer_seconds: float = _ANSWER_SECONDS,
    ) -> None:
        """Prepare a client; nothing is opened yet.

        Args:
            access: how to reach the API.
            clock: returns seconds.
            pause: waits for a number of seconds.
            answer_seconds: how long the server may send nothing.
        """
        self._base = access.base
        self._origin = access.origin
        self._clock = clock
        self._pause = pause
        self._answer_seconds = answer_seconds
        self._pool = _pool(access)

    def get(self, path: str, headers: Mapping[str, str], patience: float = 0.0) -> Any:
        """Get a document.

        Args:
            path: below the API's base.
            headers: further headers.
            patience: seconds to repeat the request while the cluster cannot be reached or is busy.

        Raises:
            ClusterError: there is no answer, or it is an error.
        """
        began = self._clock()
        for number in range(1_000_000):
            try:
                return self._send("GET", path, None, headers)
            except ClusterError as error:
                is_passing = isinstance(error, (UnsentRequest, LostAnswer)) or (
                    isinstance(error, RefusedRequest) and error.status in _BUSY
                )
                is_over = self._clock() - began >= patience and number + 1 >= _QUICK_TRIES
                if not is_passing or is_over:
                    raise
                self._pause(_PAUSES[min(number, len(_PAUSES) - 1)])
        raise AssertionError("unreachable")

    def post(self, path: str, body: Body, headers: Mapping[str, str]) -> Any:
        """Post a document, once.

        Raises:
            ClusterError: there is no answer, or it is an error.
        """
        for number in range(_QUICK_TRIES):
            try:
                return self._send("POST", path, body, headers)
            except UnsentRequest:
                if number + 1 == _QUICK_TRIES:
                    raise
                self._pause(_PAUSES[number])
        raise AssertionError("unreachable")

    def _send(self, method: str, path: str, body: Body | None, headers: Mapping[str, str]) -> Any:
        url = self._base + path
        sent = {"accept": "application/json", "user-agent": "hkube-wrapper", **headers}
        is_upload = body is not None and not isinstance(body.content, bytes)
        if body is not None:
            sent |= {"content-type": body.kind, "content-length": str(body.size)}
            if not isinstance(body.content, bytes):
                body.content.seek(0)
        seconds = self._answer_seconds * (_UPLOAD_FACTOR if is_upload else 1)
        try:
            answer = self._pool.request(
                method,
                url,
                body=body.content if body is not None else None,
                headers=sent,
                retries=False,
                redirect=False,
                enforce_content_length=True,  # the default from urllib3 2 on
                timeout=Timeout(connect=_CONNECT_SECONDS, read=seconds),
            )
        except (HTTPError, OSError) as error:
            raise self._failure(method, url, error, seconds) from error
        return _document(method, url, answer)

    def _failure(self, method: str, url: str, error: Exception, seconds: float) -> ClusterError:
        if isinstance(error, SSLError):
            return ClusterError(
                f"the certificate of {url} is not accepted: {_reason(error)}. If you trust this "
                "server, set SSL_CERT_FILE to its authority's certificate, or rejectUnauthorized "
                "to false in .hkuberc"
            )
        if isinstance(error, (NewConnectionError, ConnectTimeoutError, ProxyError)):
            return UnsentRequest(
                f"cannot reach the cluster at {url}: {_reason(error)} (endpoint from "
                f"{self._origin})"
            )
        what = (
            f"no answer within {seconds:g} s"
            if isinstance(error, ReadTimeoutError)
            else f"the connection broke: {_reason(error)}"
        )
        repeat = (
            ""
            if method == "GET"
            else ". The cluster may have done what was asked; look there before you repeat it"
        )
        return LostAnswer(f"{method} {url}: {what}{repeat}")


def _pool(access: ClusterAccess) -> urllib3.PoolManager:
    scheme, _, rest = access.base.partition("://")
    host = rest.partition("/")[0]
    checks = "CERT_REQUIRED" if access.verify else "CERT_NONE"
    if not access.verify:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    proxy = None if proxy_bypass(host) else getproxies().get(scheme)
    if proxy:
        return urllib3.ProxyManager(proxy, cert_reqs=checks)
    return urllib3.PoolManager(cert_reqs=checks)


def _document(method: str, url: str, answer: urllib3.BaseHTTPResponse) -> Any:
    if 300 <= answer.status < 400:
        target = answer.headers.get("location", "nowhere")
        raise RefusedRequest(
            f"{url} redirects to {target}: give the endpoint that answers itself", answer.status
        )
    try:
        document = json.loads(answer.data)
    except (ValueError, RecursionError):
        document = None
    if answer.status >= 400:
        text = _error_text(document) or _plain(answer)
        raise RefusedRequest(f"{method} {url}: {text} (HTTP {answer.status})", answer.status)
    if document is None:
        raise RefusedRequest(
            f"{method} {url}: the answer is not JSON: {_plain(answer)} Is the endpoint that of "
            "HKube's API?",
            answer.status,
        )
    return document


def _error_text(document: Any) -> str:
    """Return the message of an error as HKube's services write it, from any depth."""
    for _ in range(4):
        if isinstance(document, str):
            return _short(document)
        if not isinstance(document, dict):
            return ""
        document = document.get("error") or document.get("message")
    return ""


def _plain(answer: urllib3.BaseHTTPResponse) -> str:
    text = answer.data.decode("utf-8", "replace")
    if "html" in answer.headers.get("content-type", "") or text.lstrip().startswith("<"):
        return "a web page."
    return f"{_short(text)!r}." if text.strip() else "empty."


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _reason(error: BaseException) -> str:
    """Return the innermost reason of an error of the library, in few words."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return re.sub(r"^<?[\w.]+\(.*?\)>?: ", "", str(error)) or type(error).__name__
