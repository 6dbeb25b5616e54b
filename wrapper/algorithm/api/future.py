"""The future that a call with ``blocking=False`` gives.

A module of its own, because concurrent.futures takes time to import and few algorithms need it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from threading import Thread
from typing import Any

from ...errors import StorageError
from .call import ApiCall


class CallFuture(Future[Any]):
    """What a sub-pipeline or an algorithm will answer.

    A :class:`concurrent.futures.Future` that can also be awaited in ``async def``. Done-callbacks
    run in the thread that reads HKube's messages: keep them short, and make no call in them that
    waits.
    """

    def __init__(
        self,
        call: ApiCall,
        forget: Callable[[str], bool],
        warn: Callable[[str], None],
        fetch: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__()
        self.call = call
        self._forget = forget
        self._warn = warn
        self._fetch = fetch

    @property
    def id(self) -> str:
        """The id of the sub-pipeline or execution, for stop_subpipeline and stop_algorithm."""
        return self.call.id

    def cancel(self) -> bool:
        """Wait for the answer no longer. HKube is not told: that is what the stop calls are for."""
        cancelled = super().cancel()
        if cancelled and self._forget(self.id):
            # Without this, those who wait in concurrent.futures.wait() would not be woken.
            self.set_running_or_notify_cancel()
        return cancelled

    def end(self, result: Any, error: BaseException | None) -> None:
        """Give the future its result, or its error if there is one.

        What must be fetched first is fetched in a thread of its own: the one that reads HKube's
        messages must not wait.
        """
        if not self.set_running_or_notify_cancel():
            return
        if error is not None or result is None or self._fetch is None:
            self._end(result, error)
            return
        try:
            Thread(
                target=self._end_fetched,
                args=(self._fetch, result),
                name="hkube-fetch",
                daemon=True,
            ).start()
        except RuntimeError as refusal:  # nobody must wait for ever
            text = f"the answer to {self.call} cannot be fetched from the storage: {refusal}"
            self._end(None, StorageError(text))

    def _end_fetched(self, fetch: Callable[[Any], Any], response: Any) -> None:
        try:
            result = fetch(response)
        except BaseException as error:  # it belongs to whoever waits
            self._end(None, error)
        else:
            self._end(result, None)

    def _end(self, result: Any, error: BaseException | None) -> None:
        try:
            if error is None:
                self.set_result(result)
            else:
                self.set_exception(error)
        except BaseException as raised:
            # From a done-callback, which is user code. concurrent.futures catches Exception;
            # sys.exit() and the like must not end the thread that reads HKube's messages.
            self._warn(f"a done-callback of {self.call} raised {type(raised).__name__}: {raised}")

    def __await__(self) -> Generator[Any, None, Any]:
        from asyncio import wrap_future

        return wrap_future(self).__await__()
