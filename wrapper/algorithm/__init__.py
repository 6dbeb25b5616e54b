"""The algorithm process: the user's module and what it is handed."""
