"""Wording of the log about the import of a module, which the local page reads too."""

from __future__ import annotations

CANNOT_LOAD = "the algorithm cannot be loaded"
"""Begins the line that says why; a colon and the reason follow."""

LOADED = "the algorithm's module took"
"""Begins the line that says how long the import took, even if it failed."""

TASK_FAILED = "the task failed"
"""Begins the line that repeats the error that the worker receives."""
