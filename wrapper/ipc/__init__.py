"""The frames that supervisor and algorithm process exchange."""
