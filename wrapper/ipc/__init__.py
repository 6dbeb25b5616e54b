"""The frames that the supervisor and the algorithm process exchange."""
