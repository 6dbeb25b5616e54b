"""The algorithms and stored pipelines that are available on this machine."""
