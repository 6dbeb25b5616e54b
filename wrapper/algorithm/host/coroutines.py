"""Runs the user's `async def` functions on the main thread."""

from __future__ import annotations

from collections.abc import Awaitable
from threading import Lock
from typing import TYPE_CHECKING, Any

from .interruption import Interruption

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future


class Coroutines:
    """One event loop for the life of the process, created on first use.

    `initialize` and every `start` share the loop, so that a session or connection which
    `initialize` opened still works later.
    """

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption
        self._loop: asyncio.AbstractEventLoop | None = None
        # A coroutine that another thread submitted to the loop, which must outlive it.
        self._visitor: Future[Any] | None = None
        self._accepts_visitors = False
        self._lock = Lock()

    def finish(self, value: Any, keep_tasks: bool = False) -> Any:
        """Return `value`, or its result if it must be awaited; from the main thread.

        Args:
            value: what a user's function returned.
            keep_tasks: keep the asyncio tasks that it leaves in the loop, for later functions
                (for example the background tasks of a session that `initialize` opened).
        """
        # asyncio takes 50 ms to import, so only those who use it pay for it.
        if not hasattr(value, "__await__"):
            return value
        return self._run(value, keep_tasks)

    def finish_elsewhere(self, value: Any) -> Any:
        """Do the same from another thread, in the main thread's loop if that is running."""
        if not hasattr(value, "__await__"):
            return value
        import asyncio

        async def wait() -> Any:
            return await value

        visitor = None
        with self._lock:
            if self._accepts_visitors and self._loop is not None:
                visitor = asyncio.run_coroutine_threadsafe(wait(), self._loop)
                self._visitor = visitor
        return asyncio.run(wait()) if visitor is None else visitor.result()

    def close(self) -> None:
        """Close the loop, if there is one, and end what still runs in it."""
        loop, self._loop = self._loop, None
        if loop is None or loop.is_running() or loop.is_closed():
            return
        import asyncio

        self._cancel_leftovers(loop, set())
        loop.close()
        asyncio.set_event_loop(None)

    def _run(self, awaitable: Awaitable[Any], keep_tasks: bool) -> Any:
        import asyncio

        loop = self._loop
        if loop is None or loop.is_closed():  # user code may close it between its calls
            loop = self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
        if _is_of_another(loop, awaitable):
            # asyncio's own error would show its code and ours, but no line of the user's.
            raise TypeError(
                f"your function returned a {type(awaitable).__name__} of another event "
                "loop, which has no result yet: return the result itself, for example "
                "loop.run_until_complete(future), or make the function async def"
            )

        async def wait() -> Any:
            return await awaitable

        earlier = asyncio.all_tasks(loop)
        task = loop.create_task(wait())

        def cancel() -> None:
            loop.call_soon_threadsafe(task.cancel)

        self._interruption.cancel_with(cancel)
        self._accepts_visitors = True
        try:
            return loop.run_until_complete(task)
        finally:
            self._interruption.cancel_with(None)
            self._await_visitor(loop)
            if not keep_tasks:
                self._cancel_leftovers(loop, earlier)

    def _await_visitor(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run the loop until the user's `async def stop` is done, which may have ended `start`."""
        import asyncio

        with self._lock:
            self._accepts_visitors = False
            visitor, self._visitor = self._visitor, None
        if visitor is not None and not loop.is_running():
            loop.run_until_complete(asyncio.wait([asyncio.wrap_future(visitor, loop=loop)]))

    def _cancel_leftovers(
        self, loop: asyncio.AbstractEventLoop, earlier: set[asyncio.Task[Any]]
    ) -> None:
        """Cancel the tasks that the user's code left running, as asyncio.run does."""
        import asyncio

        if loop.is_running() or loop.is_closed():
            return
        leftovers = asyncio.all_tasks(loop) - earlier
        for task in leftovers:
            task.cancel()
        if leftovers:
            loop.run_until_complete(asyncio.gather(*leftovers, return_exceptions=True))


def _is_of_another(loop: asyncio.AbstractEventLoop, value: Any) -> bool:
    """Whether a value is a future that another loop has to finish."""
    import asyncio

    return asyncio.isfuture(value) and not value.done() and value.get_loop() is not loop
