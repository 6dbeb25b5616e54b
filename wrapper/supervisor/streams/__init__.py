"""Streaming: the sockets between nodes, driven by the supervisor's loop."""
