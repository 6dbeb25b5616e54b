"""The messages of storage mode v3."""

from __future__ import annotations

from wrapper.protocol.messages.storage_shapes import (
    start_stored_algorithm_execution,
    stored,
    storing,
)


def test_done_has_no_data() -> None:
    assert stored() == {"command": "done"}


def test_storing_says_where_the_result_is() -> None:
    assert storing("b/k", 57, {"green": {"type": "object"}}) == {
        "command": "storing",
        "data": {
            "storageInfo": {"path": "b/k", "size": 57},
            "metadata": {"green": {"type": "object"}},
        },
    }
    message = storing("b/k", 57, {}, {"host": "h", "port": "9020"}, "t")
    assert message["data"]["discovery"] == {"host": "h", "port": "9020"}
    assert message["data"]["taskId"] == "t"


def test_start_of_an_algorithm_with_stored_input() -> None:
    assert start_stored_algorithm_execution("1", "adds", {"a": "b/a", "c": "b/c"}, False) == {
        "command": "startAlgorithmExecution",
        "data": {
            "execId": "1",
            "algorithmName": "adds",
            "storageInput": ["$$a", "$$c"],
            "storage": {
                "a": {"storageInfo": {"path": "b/a"}},
                "c": {"storageInfo": {"path": "b/c"}},
            },
            "includeResult": False,
        },
    }
