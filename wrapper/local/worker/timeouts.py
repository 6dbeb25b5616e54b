"""HKube's timeouts for an algorithm, which the local worker applies too."""

STOP_TIMEOUT = 10.0
"""Seconds that HKube's worker waits for `stopped`."""
CRASH_TIMEOUT = 5.0
"""Seconds to wait, after a lost connection, for a crashed process to end."""
EXIT_TIMEOUT = 20.0
"""Seconds that HKube's worker waits after `exit`."""
