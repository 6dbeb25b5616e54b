"""The client side of socket.io 2 (Engine.IO 3) over a WebSocket, without I/O."""
