"""The supervisor's event loop."""
