"""The spans (timed sections of a task, seen in HKube's tracing) that user code opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ...protocol.messages import shapes
from .arguments import check_dict, check_name

if TYPE_CHECKING:
    from .calls import ApiLink

# What is sent of a span's name or error when the whole cannot be.
_TEXT_LIMIT = 1_000


class Spans:
    """The open spans of one task: one stack, as in the worker, whichever thread opens them.

    Nothing here raises because of what a span holds: a span tells about the work, it must not
    break it.

    Args:
        link: where spans are sent.
        warn: takes a line for the log.
    """

    def __init__(self, link: ApiLink, warn: Callable[[str], None]) -> None:
        self._link = link
        self._warn = warn
        self._open = 0
        self._over = False
        # Held while sending, so that the worker sees what is counted here, in the same order;
        # reentrant, because a signal handler may finish a span while its thread starts another.
        self._lock = RLock()

    def start(self, name: str, tags: Mapping[str, Any] | None) -> None:
        """Open a span inside the newest open one.

        Raises:
            TypeError: `name` is no text, or `tags` no dict.
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
            error: why what the span stands for failed, a text or an exception; None if it did not.

        Raises:
            TypeError: `tags` is no dict.
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

    def section(self, name: str, tags: Mapping[str, Any] | None) -> Section:
        """A ``with`` block that is a span."""
        return Section(self, name, tags)

    def close_all(self, error: str | None) -> None:
        """The task is over: close what is open, newest first, and drop what comes after.

        Args:
            error: why the task failed; None if it did not.
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
        """Send a message; what `plain` makes in its place, if it cannot be sent.

        The span itself must reach the worker, or the next finish would close the wrong one.
        """
        try:
            self._link.send(message, subject)
        except Exception as error:  # whatever it is: encoding runs the user's own objects' code
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
    """What to write in a span about `error`: an exception's type and text, or the text given."""
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
    """The part of `text` that any encoding takes."""
    return text[:_TEXT_LIMIT].encode(errors="replace").decode()
