"""Describes the parts of a result, so that HKube knows their types without reading them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .dotted_path import MISSING, is_array, value_at


def metadata_of(node: str, result: Any, save_paths: object) -> dict[str, Any]:
    """Return the types of the parts of a result that later nodes refer to.

    Args:
        node: Name of this node.
        result: The value that the user's code returned.
        save_paths: `info.savePaths` of the job, such as `green` or `green.a.0`; paths of other
            nodes are ignored.
    """
    paths = save_paths if isinstance(save_paths, (list, tuple)) else ()
    found: dict[str, Any] = {}
    for path in paths:
        if isinstance(path, str):
            value = value_at({node: result}, path)
            if value is not MISSING:
                found[path] = _describe(value)
    return found


def _describe(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping) or hasattr(type(value), "__dataclass_fields__"):
        return {"type": "object"}
    if is_array(value):
        return {"type": "array", "size": len(value)}
    return {"type": type(value).__name__}
