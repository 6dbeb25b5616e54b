"""How long HKube waits for an algorithm: what takes longer here would not be waited for there."""

STOP_TIMEOUT = 10.0
"""Seconds that HKube's worker waits for `stopped`."""
CRASH_TIMEOUT = 5.0
"""Seconds from a lost connection to the end of a process that has crashed."""
EXIT_TIMEOUT = 20.0
"""Seconds that HKube's worker waits after `exit`."""
