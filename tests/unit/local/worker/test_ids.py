"""Random ids."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wrapper.local.worker.ids import random_id


@pytest.mark.parametrize("digits", [8, 12, 16])
def test_ids_have_their_length_and_differ(digits: int) -> None:
    ids = {random_id(digits) for _ in range(2000)}
    assert len(ids) == 2000
    assert {len(each) for each in ids} == {digits}
    assert all(int(each, 16) >= 0 for each in ids)


def test_ids_of_another_process_differ() -> None:
    code = "from wrapper.local.worker.ids import random_id; print(random_id(16))"
    found = {subprocess.check_output([sys.executable, "-c", code]) for _ in range(2)}
    assert len(found) == 2
