"""The parent process: the WebSocket, the timers, the algorithm process's life."""
