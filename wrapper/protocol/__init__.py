"""The protocol between worker and algorithm: no I/O, no clock, no threads."""
