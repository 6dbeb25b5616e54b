"""What a session of a streaming task needs besides that of a batch task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...local.worker import events
from ...local.worker.storage import LocalStorage


@dataclass(frozen=True)
class StreamWiring:
    """The surroundings of a streaming node.

    Attributes:
        storage: The storage of mode v3, which streaming needs.
        environ: Settings of the wrapper.
        on_event: Called with each event of the worker, after it was recorded.
    """

    storage: LocalStorage
    environ: Mapping[str, str]
    on_event: events.Listener

    def listener(self, recorder: Callable[[events.WorkerEvent], None]) -> events.Listener:
        """Return a listener for both the recorder and `on_event`."""

        def listen(event: events.WorkerEvent) -> None:
            recorder(event)
            self.on_event(event)

        return listen
