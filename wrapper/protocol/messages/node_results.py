"""The results of a sub-pipeline's nodes, in the answer to a call."""

from __future__ import annotations

from typing import Any


def is_big(info: object) -> bool:
    """Return whether a node's `info` is a link to a large result in the storage."""
    return isinstance(info, dict) and info.get("isBigData") is True


def without_links(response: Any) -> Any:
    """Remove the link from each node that has its result too: HKube has followed it already."""
    if isinstance(response, list):
        for entry in response:
            if isinstance(entry, dict) and "result" in entry and is_big(entry.get("info")):
                del entry["info"]
    return response
