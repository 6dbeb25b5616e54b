"""The algorithm process seen from outside."""
