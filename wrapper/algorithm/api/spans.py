"""The spans that user code opens: timed sections of a task, shown in HKube's tracing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ...protocol.messages import shapes
from .arguments import check_dict, check_name

if TYPE_CHECKING:
    from .calls import ApiLink

# How many characters of a span's name or error are sent when the whole text cannot be encoded.
_TEXT_LIMIT = 1_000


class Spans:
    """The open spans of one task: one stack, as in the worker, whichever thread opens them.

    The contents of a span never make a method raise: a span describes the work and must not make
    it fail.

    Args:
        link: sends messages to the worker.
        warn: writes a line to the log.
    """

    def __init__(self, link: ApiLink, warn: Callable[[str], None]) -> None:
        self._link = link
        self._warn = warn
        self._open = 0
        self._over = False
        # Held while sending, so that the worker receives spans in the order counted here.
        # Reentrant, because a signal handler may finish a span while its thread starts another.
        self._lock = RLock()

    def start(self, name: str, tags: Mapping[str, Any] | None) -> None:
        """Open a span inside the newest open one.

        Raises:
            TypeError: `name` is not a str, or `tags` is not a dict.
            ValueError: `name` is empty.
        """
        check_name("start_span", "name", name)
        tags = check_dict("start_span", "tags", tags)
        with self._lock:
            if self._over:
                return
            self._open += 1
            self._send(
                "span",
                shapes.start_span(name, tags),
                lambda: shapes.start_span(_plain(name), {}),
            )

    def finish(self, tags: Mapping[str, Any] | None, error: object) -> None:
        """Close the newest open span.

        Args:
            tags: added to the span's own.
            error: why the section failed, a str or an exception; None if it succeeded.

        Raises:
            TypeError: `tags` is not a dict.
        """
        tags = check_dict("finish_span", "tags", tags)
        text = describe(error)
        with self._lock:
            if self._over:
                return
            if not self._open:
                self._warn("finish_span was called with no open span; nothing was sent")
                return
            self._finish(tags, text)

    def close_all(self, error: str | None) -> None:
        """At the end of the task, close all open spans, newest first, and ignore later ones.

        Args:
            error: why the task failed; None if it succeeded.
        """
        with self._lock:
            while self._open:
                self._finish({}, error)
            self._over = True

    def _finish(self, tags: Mapping[str, Any], error: str | None) -> None:
        self._open -= 1
        self._send(
            "span",
            shapes.finish_span(tags, error),
            lambda: shapes.finish_span({}, None if error is None else _plain(error)),
        )

    def _send(
        self, subject: str, message: Mapping[str, Any], plain: Callable[[], Mapping[str, Any]]
    ) -> None:
        """Send a message; if it cannot be encoded, send the one that `plain` makes instead.

        The span itself must reach the worker. Otherwise the next finish would close the wrong one.
        """
        try:
            self._link.send(message, subject)
        except (
            Exception
        ) as error:  # encoding runs code of the user's objects, which may raise anything
            self._warn(f"a span was sent without its tags: {describe(error)}")
            self._link.send(plain(), subject)


class Section:
    """A span as a context manager: see :meth:`HKubeApi.span`."""

    def __init__(self, spans: Spans, name: str, tags: Mapping[str, Any] | None) -> None:
        self._spans = spans
        self._name = name
        self._tags = tags
        self._result: dict[str, Any] = {}

    def __enter__(self) -> dict[str, Any]:
        self._spans.start(self._name, self._tags)
        self._result = {}
        return self._result

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._spans.finish(self._result, error)


def describe(error: object) -> str | None:
    """Describe an error in a span: an exception by type and text, a str as it is."""
    if error is None:
        return None
    try:
        text = str(error)
    except Exception:  # the user's own __str__
        text = ""
    if not isinstance(error, BaseException):
        return text
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def _plain(text: str) -> str:
    """Return a shortened `text` that any encoding accepts."""
    return text[:_TEXT_LIMIT].encode(errors="replace").decode()
