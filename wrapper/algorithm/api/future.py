"""The future that a call with ``blocking=False`` returns.

A separate module, because concurrent.futures takes time to import and few algorithms need it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from threading import Thread
from typing import Any

from ...errors import StorageError
from .call import ApiCall


class CallFuture(Future[Any]):
    """The future result of a sub-pipeline or an algorithm.

    A :class:`concurrent.futures.Future` that can also be awaited in ``async def``. Done-callbacks
    run in the thread that reads HKube's messages. Keep them short, and do not make calls in them
    that wait.

    Args:
        call: the call.
        forget: removes the call from those that wait; returns whether it was there.
        warn: writes a line to the log.
        fetch: makes the result from HKube's response; may take long. None: the response is the
            result.
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
        """The id of the sub-pipeline or execution, for the methods that stop it."""
        return self.call.id

    def cancel(self) -> bool:
        """Stop waiting for the answer. To stop the work in HKube, call one of the stop methods."""
        cancelled = super().cancel()
        if cancelled and self._forget(self.id):
            # Without this, concurrent.futures.wait() would not return in threads that wait there.
            self.set_running_or_notify_cancel()
        return cancelled

    def end(self, result: Any, error: BaseException | None) -> None:
        """Set the future's error if there is one, or its result.

        A result that must be fetched is fetched in a new thread, because the thread that reads
        HKube's messages must not wait.
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
        except RuntimeError as refusal:  # otherwise the future would never be done
            text = f"cannot fetch the answer to {self.call} from the storage: {refusal}"
            self._end(None, StorageError(text))

    def _end_fetched(self, fetch: Callable[[Any], Any], response: Any) -> None:
        try:
            result = fetch(response)
        except BaseException as error:  # raised to whoever waits for the future
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
            # A done-callback raised it, which is user code. concurrent.futures catches Exception,
            # but sys.exit() and the like must not end the thread that reads HKube's messages.
            self._warn(f"a done-callback of {self.call} raised {type(raised).__name__}: {raised}")

    def __await__(self) -> Generator[Any, None, Any]:
        from asyncio import wrap_future

        return wrap_future(self).__await__()
