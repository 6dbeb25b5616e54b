"""Real processes over a real WebSocket: the wrapper against a scripted worker."""
