"""Keeps freed memory in the process, for many large messages one after the other."""

from __future__ import annotations

import sys

# glibc's names for mallopt.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
# Freed blocks up to this size, and so much at the top of the heap, are used again.
_KEPT_BYTES = 32 * 1024 * 1024


def keep_freed_memory() -> None:
    """Let glibc use freed blocks again instead of giving them back to the kernel.

    Otherwise each message of some MB costs fresh pages, which takes longer than copying it.
    """
    if sys.platform != "linux":
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
