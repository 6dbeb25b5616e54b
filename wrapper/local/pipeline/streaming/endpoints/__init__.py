"""Algorithms of the local tools: they run as nodes, and are not imported here."""
