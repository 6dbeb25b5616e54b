"""The worker's side on your own machine."""
