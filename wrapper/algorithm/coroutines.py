"""Running user functions that are `async def`, on the main thread."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from .interruption import Interruption

if TYPE_CHECKING:
    import asyncio


class Coroutines:
    """One event loop for all of the process's life, made when first needed.

    The same loop for `initialize` and every `start`, so that a session or connection which
    `initialize` opened still works later.
    """

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption
        self._loop: asyncio.AbstractEventLoop | None = None

    def finish(self, value: Any) -> Any:
        """`value`, or what it comes to if it must be awaited; from the main thread."""
        # asyncio costs 50 ms to import: only for those who use it.
        if not hasattr(value, "__await__"):
            return value
        return self._run(value)

    def finish_elsewhere(self, value: Any) -> Any:
        """The same from another thread, in the main thread's loop if it is running."""
        if not hasattr(value, "__await__"):
            return value
        import asyncio

        async def wait() -> Any:
            return await value

        if self._loop is not None and self._loop.is_running():
            return asyncio.run_coroutine_threadsafe(wait(), self._loop).result()
        return asyncio.run(wait())

    def _run(self, awaitable: Awaitable[Any]) -> Any:
        import asyncio

        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)

        async def wait() -> Any:
            return await awaitable

        task = loop.create_task(wait())

        def cancel() -> None:
            loop.call_soon_threadsafe(task.cancel)

        self._interruption.cancel = cancel
        try:
            return loop.run_until_complete(task)
        finally:
            self._interruption.cancel = None
            self._end_leftovers(loop)

    def _end_leftovers(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tasks that the user's code left running end with it, as after asyncio.run."""
        import asyncio

        if loop.is_running() or loop.is_closed():
            return
        leftovers = asyncio.all_tasks(loop)
        for task in leftovers:
            task.cancel()
        if leftovers:
            loop.run_until_complete(asyncio.gather(*leftovers, return_exceptions=True))
