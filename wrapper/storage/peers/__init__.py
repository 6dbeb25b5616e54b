"""Recent results in memory, exchanged between algorithms over ZeroMQ."""
