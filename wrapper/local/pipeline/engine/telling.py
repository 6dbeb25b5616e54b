"""Makes events and hands them to the listener, one at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, final

from .. import events


@final
class Telling:
    """Makes events and hands them to the listener, one at a time."""

    def __init__(self, listener: events.Listener, clock: Callable[[], float]) -> None:
        self._listener = listener
        self._clock = clock
        self._lock = threading.RLock()

    def tell(self, kind: type[events.PipelineEvent], run: events.Path, **facts: Any) -> None:
        """Tell an event of a run, with its facts by name; safe from any thread."""
        with self._lock:
            try:
                self._listener(kind(at=self._clock(), run=run, **facts))
            except Exception:  # whoever shows the events must not harm the runs
                logging.getLogger(__name__).exception("a listener of the pipelines failed")
