"""What the answer about a sub-pipeline keeps of its nodes."""

from __future__ import annotations

from typing import Any

import pytest

from wrapper.protocol.messages.node_results import is_big, without_links

LINK = {"path": "local-hkube/a", "size": 9, "isBigData": True}


def test_link_beside_a_result_is_removed() -> None:
    """HKube's worker reads a large result in mode v1, and leaves the link there."""
    response = [
        {"nodeName": "a", "result": 1, "info": dict(LINK)},
        {"nodeName": "b", "info": dict(LINK)},
        {"nodeName": "c", "result": 2, "info": {"isBigData": False}},
    ]
    assert without_links(response) == [
        {"nodeName": "a", "result": 1},
        {"nodeName": "b", "info": LINK},
        {"nodeName": "c", "result": 2, "info": {"isBigData": False}},
    ]


@pytest.mark.parametrize("response", [None, 5, "text", {"info": LINK, "result": 1}, [1, None, []]])
def test_other_answers_stay_as_they_are(response: Any) -> None:
    assert without_links(response) is response


@pytest.mark.parametrize("info", [None, 1, {}, {"isBigData": 1}, {"isBigData": "true"}])
def test_what_is_no_link(info: object) -> None:
    assert not is_big(info)
