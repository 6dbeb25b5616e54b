"""What the wrapper does for user code that gevent has patched."""

from __future__ import annotations

import sys
from typing import Any


def keep_hub_awake() -> Any:
    """Have gevent wait for answers that another thread brings.

    gevent raises LoopExit if all greenlets wait and nothing in its event loop can end that. It does
    not know about the thread that receives HKube's answers.

    Returns:
        An object to hold as long as user code may wait; None if gevent is not used.
    """
    if "gevent.monkey" not in sys.modules:
        return None
    watcher = sys.modules["gevent"].get_hub().loop.async_()
    watcher.start(lambda: None)
    return watcher
