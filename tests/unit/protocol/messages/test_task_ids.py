"""Reading a task's ids from the first bytes of its message, in every encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.protocol.messages.task_ids import IDS_WITHIN, read_ids

ENCODINGS = ("json", "msgpack", "bson")


def frame(encoding: str, **data: object) -> bytes:
    message = {"command": "initialize", "data": {"useCache": False, "flatInput": None, **data}}
    return get_encoding(encoding).encode(message)[:IDS_WITHIN]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_ids_are_found(encoding: str) -> None:
    head = frame(encoding, jobId="main:p19", nodeName="green" * 20, taskId="oxl", input=[1])
    assert read_ids(encoding, head) == f"main:p19 oxl {'green' * 20}"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_missing_or_odd_id_becomes_a_dash(encoding: str) -> None:
    assert read_ids(encoding, frame(encoding, jobId=None, taskId="t")) == "- t -"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_first_occurrence_counts_not_one_in_the_input(encoding: str) -> None:
    head = frame(encoding, jobId="j", taskId="t", nodeName="n", input=[{"jobId": "other"}])
    assert read_ids(encoding, head) == "j t n"


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(junk=st.binary(max_size=200))
def test_junk_never_raises(encoding: str, junk: bytes) -> None:
    assert len(read_ids(encoding, b"\x02jobId\0" + junk).split(" ")) == 3
