"""How runs of pipelines are shown."""
