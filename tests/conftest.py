"""What holds for all tests."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# A busy machine makes no test fail: neither an example nor its making has a limit in seconds.
settings.register_profile(
    "patient", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")


def pytest_configure() -> None:
    """Hear Ctrl-C and a terminal that is closed, and have what tests start hear them.

    A shell without job control starts what runs in the background with SIGINT ignored, `nohup` with
    SIGHUP, which every child inherits: then tests of them would wait for ever.
    """
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)
