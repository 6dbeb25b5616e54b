"""Lets an algorithm run its own event loop while an `async` test waits for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running_loop_hidden() -> Iterator[None]:
    """Hide the test's event loop from the code inside; call it from the main thread.

    The test's loop stands still meanwhile, because the test waits. But asyncio allows no second
    loop in a thread as long as it knows of the first.
    """
    if "asyncio" not in sys.modules:
        yield
        return
    from asyncio import _get_running_loop, _set_running_loop, tasks

    loop = _get_running_loop()
    if loop is None:
        yield
        return
    swap_task = getattr(tasks, "_swap_current_task", None)  # since Python 3.12
    task = swap_task(loop, None) if swap_task else None
    _set_running_loop(None)
    try:
        yield
    finally:
        _set_running_loop(loop)
        if swap_task:
            swap_task(loop, task)
