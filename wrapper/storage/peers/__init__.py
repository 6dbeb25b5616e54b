"""Keeps recent results in memory and exchanges them with other algorithms over ZeroMQ."""
