"""The parent process: holds the WebSocket, the timers and the life of the algorithm process."""
