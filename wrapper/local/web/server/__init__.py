"""The server of the page: files and one WebSocket, and who may use them."""
