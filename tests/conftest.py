"""What holds for all tests."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Hear Ctrl-C, and have what tests start hear it.

    A shell without job control starts what runs in the background with SIGINT ignored, which
    every child inherits: then tests of Ctrl-C would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
