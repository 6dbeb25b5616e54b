"""The algorithms and stored pipelines on this machine."""
