"""Freed memory that stays in the process costs no new pages."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

CODE = """
import resource, sys
from wrapper.supervisor.loop.heap import keep_freed_memory

def large_messages():
    held = [bytearray(1_000_000) for _ in range(8)]

if sys.argv[1] == "keep":
    keep_freed_memory()
for _ in range(3):
    large_messages()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    large_messages()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    ran = subprocess.run([sys.executable, "-c", CODE, how], capture_output=True, check=True)
    return int(ran.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators keep it anyway")
def test_large_blocks_are_used_again() -> None:
    assert page_faults("keep") * 10 < page_faults("leave")
