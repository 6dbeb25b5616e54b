"""Settings for all tests."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

# No time limits for Hypothesis, so that a busy machine does not make tests fail.
settings.register_profile(
    "patient", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# `pytest --hypothesis-profile thorough`: CI takes the same examples each time, this takes new ones.
settings.register_profile("thorough", settings.get_profile("patient"), max_examples=3000)
settings.load_profile("patient")


def pytest_configure() -> None:
    """Restore the handling of SIGINT and SIGHUP in this process and its children.

    A shell without job control starts background processes with SIGINT ignored, and `nohup` with
    SIGHUP ignored. Children inherit this, so tests of these signals would wait forever.
    """
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)


# By these, coverage measures the processes that a test starts.
MEASURED = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")


@pytest.fixture
def without_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not measure the processes of a test that breaks what coverage needs in them."""
    for name in MEASURED:
        monkeypatch.delenv(name, raising=False)
